"""Heartbeats of compacted topics: privacy writes one to every partition, under one fixed key, so that a reader knows
since when it has heard nothing new because there was nothing.

Whoever reads one at a time T holds all that was decided before T for the keys of that partition. To a reader that
does not know them they are a policy, or a learner's state, that concerns nobody.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from uuid_utils import uuid7

from events.envelope import Message
from events.topics import CONSENTS, POLICIES, Topic

TENANT: Final = "~heartbeat"
KEY: Final = TENANT.encode()
TOPICS: Final = (POLICIES, CONSENTS)
_NOBODY: Final[Mapping[str, Mapping[str, Any]]] = {
    POLICIES.name: {"version": 1, "purposes": {}},
    CONSENTS.name: {"version": 1},
}


def value(topic: Topic, at: datetime) -> bytes:
    """A record's value: all that was decided before `at` lies before it."""
    return orjson.dumps(
        {
            "id": str(uuid7()),
            "type": topic.message_type,
            "tenant": TENANT,
            "occurred_at": at,
            "traceparent": None,
            "key": None,
            "data": _NOBODY[topic.name],
        }
    )


def is_heartbeat(message: Message) -> bool:
    return message.tenant == TENANT

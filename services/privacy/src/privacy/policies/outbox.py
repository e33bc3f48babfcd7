"""Policies out to `privacy.policies.v1`."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from events.payloads import Policy
from service_kit.mongo import Document

from privacy.policies.repository import POLICIES


class PolicySource:
    spec = POLICIES
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(d) for d in documents]


def _message(d: Document) -> Outgoing:
    policy = Policy.model_validate(d["policy"])
    return Outgoing(topics.POLICIES, d["outbox"]["token"], d["_id"], None, d["at"], policy, d["traceparent"])

"""Which statements go to the other LRS, and in what form."""

import xapi
from xapi.parsing import JsonObject

from ingest.forwarding.schemas import Filters

_OURS = ("stored", "authority", "version")


def is_chosen(filters: Filters, statement: JsonObject) -> bool:
    """What voids is always sent on: it may take back what was sent before (GDPR 19)."""
    if statement["verb"]["id"] == xapi.VOIDED:
        return True
    target = statement["object"]
    definition = target.get("definition", {})
    registration = str(statement.get("context", {}).get("registration", "")).lower()
    is_activity = target.get("objectType", "Activity") == "Activity"
    wanted = [
        (filters.verbs, statement["verb"]["id"]),
        (filters.activities, target["id"] if is_activity else None),
        (filters.activity_types, definition.get("type")),
        ([str(one) for one in filters.registrations], registration),
    ]
    return all(not allowed or found in allowed for allowed, found in wanted)


def as_sent(statement: JsonObject) -> bytes:
    """Without what the other LRS sets by itself (1.0.3 Data 2.4.8 to 2.4.10)."""
    return xapi.dumps({name: part for name, part in statement.items() if name not in _OURS})

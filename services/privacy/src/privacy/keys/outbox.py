"""Learners whose key is destroyed, out to `privacy.consents.v1` as tombstones."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from service_kit.clock import Clock
from service_kit.mongo import Document

from privacy.keys.repository import TOMBSTONES


class TombstoneSource:
    spec = TOMBSTONES
    remove_when_sent = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        at = self._clock()
        return [Outgoing(topics.CONSENTS, d["_id"], d["tenant"], d["learner"], at, None) for d in documents]

"""Decisions out to `privacy.consents.v1`: always a learner's whole state."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from service_kit.mongo import Document

from privacy.consents.repository import CONSENTS, dossier_of


class ConsentSource:
    spec = CONSENTS
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(d) for d in documents]


def _message(d: Document) -> Outgoing:
    state = dossier_of(d).message()
    return Outgoing(topics.CONSENTS, d["outbox"]["token"], d["tenant"], d["learner"], d["at"], state, d["traceparent"])

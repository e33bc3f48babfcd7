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
    token, at, traceparent = d["outbox"]["token"], d["at"], d["traceparent"]
    return Outgoing(topics.CONSENTS, token, d["tenant"], d["learner"], at, state, traceparent, clear=state.erased)

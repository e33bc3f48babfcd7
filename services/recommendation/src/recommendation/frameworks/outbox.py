"""Kafka out: changed competencies, one message each; of a removed one a tombstone."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from service_kit.mongo import Document

from recommendation.frameworks.repository import COMPETENCIES, competency_in


class CompetencySource:
    """`service_kit.outbox.Source` of competencies."""

    spec = COMPETENCIES
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(document) for document in documents]


def _message(document: Document) -> Outgoing:
    tenant, _, competency = document["_id"].partition("/")
    return Outgoing(
        topics.COMPETENCIES,
        document["outbox"]["token"],
        tenant,
        competency,
        document["changed_at"],
        None if document["competency"] is None else competency_in(document),
        document["traceparent"],
    )

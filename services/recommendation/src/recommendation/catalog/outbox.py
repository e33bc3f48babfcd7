"""Kafka out: changed activities, one message each."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from events.payloads import CatalogActivity
from service_kit.mongo import Document

from recommendation.catalog.repository import ACTIVITIES


class ActivitySource:
    """Activities whose change has not been published; they stay, their flag goes."""

    spec = ACTIVITIES
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(document) for document in documents]


def _message(document: Document) -> Outgoing:
    activity = CatalogActivity.model_validate(document["activity"])
    tenant = document["_id"].partition("/")[0]
    return Outgoing(
        topics.ACTIVITIES,
        document["outbox"]["token"],
        tenant,
        activity.id,
        document["changed_at"],
        activity,
        document["traceparent"],
    )

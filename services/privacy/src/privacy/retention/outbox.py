"""Portions of runs out to `privacy.requests.v1`. They name no learner, and are in the clear."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from events.payloads import Request
from service_kit.mongo import Document

from privacy.retention.repository import PORTIONS, order_of


class PortionSource:
    spec = PORTIONS
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(d) for d in documents]


def _message(d: Document) -> Outgoing:
    request = Request(request_id=d["run"], type="retention", retention=order_of(d))
    return Outgoing(topics.REQUESTS, d["outbox"]["token"], d["tenant"], None, d["opened_at"], request, clear=True)

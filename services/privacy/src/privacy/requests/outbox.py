"""Requests out to `privacy.requests.v1`."""

from collections.abc import Sequence

from events import topics
from events.envelope import Outgoing
from events.payloads import Request
from service_kit.mongo import Document

from privacy.requests.repository import REQUESTS


class RequestSource:
    spec = REQUESTS
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_message(d) for d in documents]


def _message(d: Document) -> Outgoing:
    request = Request(request_id=d["_id"], type=d["type"])
    token, at, traceparent = d["outbox"]["token"], d["started_at"], d.get("traceparent")
    return Outgoing(topics.REQUESTS, token, d["tenant"], d["learner"], at, request, traceparent)

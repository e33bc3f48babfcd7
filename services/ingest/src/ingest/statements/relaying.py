"""Statements onto Kafka: each once for every learner that it is about, without a word that says who anyone is."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import orjson
from events import topics
from events.envelope import Outgoing
from events.tracing import span_after
from opentelemetry.trace import SpanKind
from service_kit.mongo import Document
from xapi import for_learner, learners_of
from xapi.cutting import is_erased
from xapi.parsing import JsonObject

from ingest.statements.repository import STATEMENTS, StatementRepository
from ingest.statements.stamps import from_micros

_PAUSE_EVERY = 25
_SPAN = f"publish {topics.STATEMENTS.name}"


class StatementSource:
    """A voiding goes to the learners of the voided statement. Where that has not come yet, its coming flags again."""

    spec = STATEMENTS
    remove_when_sent = False

    def __init__(self, statements: StatementRepository) -> None:
        self._statements = statements

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        about = await self._targets(documents)
        messages: list[Outgoing] = []
        for number, (document, data) in enumerate(await self._statements.readable(documents)):
            if number % _PAUSE_EVERY == _PAUSE_EVERY - 1:
                await asyncio.sleep(0)  # leases and the producer live in the same loop
            raw = orjson.loads(data)
            learners = about.get(document["voids"], []) if "voids" in document else _learners(document, raw)
            messages += _messages(document, raw, learners)
        return messages

    async def _targets(self, documents: Sequence[Document]) -> dict[str, list[tuple[str, str]]]:
        """Learners of the voided statements, by `_id`."""
        wanted = sorted({document["voids"] for document in documents if "voids" in document})
        found = [d for d in await self._statements.find(wanted) if "voids" not in d and "stored" in d]
        opened = await self._statements.readable(found)
        return {d["_id"]: list(_learners(d, orjson.loads(data))) for d, data in opened}


def _learners(document: Document, raw: JsonObject) -> Iterable[tuple[str, str]]:
    """Each learner with the identifier that the statement names it by; the forgotten have none."""
    pairs = zip(document["learners"], learners_of(raw), strict=True)
    return [(learner, ifi) for learner, ifi in pairs if learner is not None and not is_erased(ifi)]


def _messages(document: Document, raw: JsonObject, learners: Iterable[tuple[str, str]]) -> Iterable[Outgoing]:
    own: dict[str, set[str]] = {}
    for learner, ifi in learners:
        own.setdefault(learner, set()).add(ifi)
    return _published(document, raw, own)


def _published(document: Document, raw: JsonObject, own: Mapping[str, set[str]]) -> list[Outgoing]:
    traceparent = None
    if "traceparent" in document:  # without a trace to go on with there is none to begin: it costs as much as reading
        with span_after(_SPAN, document["traceparent"], SpanKind.PRODUCER) as handed_on:
            traceparent = handed_on
    tenant, _, statement_id = document["_id"].partition("/")
    return [
        Outgoing(
            topics.STATEMENTS,
            statement_id,
            tenant,
            learner,
            from_micros(document["stored"]),
            for_learner(raw, ifis, document.get("imported_from")),
            traceparent,
        )
        for learner, ifis in own.items()
    ]

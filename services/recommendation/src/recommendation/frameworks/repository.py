"""MongoDB out: the competencies of all frameworks. A removed one stays without its data until Kafka has been told.

A competency that several frameworks have lies in one document: `framework` names them all, `of` says what each of them
says of it, the one that came first at the head, and `competency` is what is told of it. `framework` may be a text, and
`of` be missing, where it was written before it could be of several. `mastery_threshold` stands beside the competency,
so that a framework which is imported anew keeps what was set.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from events.payloads import CatalogCompetency
from events.tracing import current_traceparent
from service_kit.clock import Clock
from service_kit.mongo import (
    ASCENDING,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
    in_transaction,
)
from service_kit.outbox import OUTBOX_INDEX, flag

from recommendation.catalog.repository import CATALOGS, key_of, range_of
from recommendation.frameworks.shared import Said, said_of, together, with_word_of

COMPETENCIES: Final = CollectionSpec(
    "competencies", "source", (OUTBOX_INDEX, Index((("tenant", ASCENDING), ("framework", ASCENDING))))
)
THRESHOLD: Final = "mastery_threshold"
_READ: Final = {"competency": 1, THRESHOLD: 1}
_AT_ONCE: Final = 2_000


class FrameworkRepository:
    """Ids are `tenant/IRI`, as the catalog's; a change raises the version of the tenant's catalog."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._competencies: Collection = db[COMPETENCIES.name]
        self._catalogs: Collection = db[CATALOGS.name]
        self._clock = clock

    async def put(self, tenant: str, framework: str, found: Sequence[CatalogCompetency]) -> tuple[int, int]:
        """Store what differs, and let go of what the framework no longer has; how many of each. Repeatable.

        What another framework has, too, stays of both.
        """
        held = await self._competencies.find({"tenant": tenant, "framework": framework}, {"_id": 1}).to_list(None)
        new = {key_of(tenant, one.id): one.model_dump(mode="json", exclude={THRESHOLD}) for one in found}
        said: dict[str, Document | None] = {**{one["_id"]: None for one in held}, **new}
        keys, written, gone = list(said), 0, 0
        for start in range(0, len(keys), _AT_ONCE):
            chunk = {key: said[key] for key in keys[start : start + _AT_ONCE]}
            changed = await in_transaction(self._client, partial(self._write, tenant, framework, chunk))
            removed = sum(said[key] is None for key in changed)
            written, gone = written + len(changed) - removed, gone + removed
        return written, gone

    async def _write(
        self, tenant: str, framework: str, said: Mapping[str, Document | None], session: Session
    ) -> list[str]:
        """Of which of these competencies the framework says something else than before."""
        query = self._competencies.find({"_id": {"$in": list(said)}}, {"competency": 1, "of": 1}, session=session)
        held = {one["_id"]: said_of(one) for one in await query.to_list(None)}
        now = {key: with_word_of(framework, held.get(key, []), one) for key, one in said.items()}
        changes = {key: of for key, of in now.items() if of != held.get(key, [])}
        if not changes:
            return []
        about = {"tenant": tenant, "changed_at": self._clock(), "traceparent": current_traceparent()}
        writes = [
            UpdateOne({"_id": key}, _change(key, of, framework, about), upsert=True) for key, of in changes.items()
        ]
        await self._competencies.bulk_write(writes, ordered=False, session=session)
        await self._catalogs.update_one({"_id": tenant}, {"$inc": {"version": 1}}, upsert=True, session=session)
        return list(changes)

    async def set_threshold(self, tenant: str, competency: str, threshold: float | None) -> CatalogCompetency | None:
        """From which probability on it counts as mastered; None: as its framework says. None where there is no such
        competency.
        """
        return await in_transaction(self._client, partial(self._set, tenant, competency, threshold))

    async def _set(
        self, tenant: str, competency: str, threshold: float | None, session: Session
    ) -> CatalogCompetency | None:
        key = key_of(tenant, competency)
        held = await self._competencies.find_one({"_id": key}, _READ, session=session)
        if held is None or held["competency"] is None:
            return None
        if held.get(THRESHOLD) != threshold:
            now = {"changed_at": self._clock(), "traceparent": current_traceparent(), "outbox": flag(key)}
            change: Document = (
                {"$set": now, "$unset": {THRESHOLD: ""}}
                if threshold is None
                else {"$set": {**now, THRESHOLD: threshold}}
            )
            await self._competencies.update_one({"_id": key}, change, session=session)
            await self._catalogs.update_one({"_id": tenant}, {"$inc": {"version": 1}}, upsert=True, session=session)
        return competency_in({**held, THRESHOLD: threshold})

    async def page(self, tenant: str, after: str | None, limit: int | None = None) -> list[CatalogCompetency]:
        """By IRI, those after the one named; all of them without a limit."""
        there = {**range_of(tenant, after), "competency": {"$ne": None}}
        found = self._competencies.find(there, _READ).sort([("_id", ASCENDING)]).limit(limit or 0)
        return [competency_in(document) for document in await found.to_list(None)]


def _change(key: str, of: Sequence[Said], framework: str, about: Document) -> Document:
    told = {"framework": [one["framework"] for one in of] or [framework], "of": of, "competency": together(of)}
    change: Document = {"$set": {**about, **told, "outbox": flag(key)}}
    return change if of else change | {"$unset": {THRESHOLD: ""}}


def competency_in(document: Document) -> CatalogCompetency:
    """The competency that a document holds, with what was set of it here."""
    return CatalogCompetency.model_validate({**document["competency"], THRESHOLD: document.get(THRESHOLD)})

"""A service's own view of the frameworks: which competency is a part of which, as `catalog.competencies.v1` tells.

No state depends on it: frameworks are read when somebody looks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from events.envelope import Message, newest
from events.payloads import CatalogCompetency
from learner_model.frameworks import DEEPEST, Frameworks

from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    DeleteOne,
    Document,
    Index,
    ReplaceOne,
    Session,
)

COMPETENCIES: Final = CollectionSpec(
    "competencies",
    "derived",
    (
        Index((("tenant", ASCENDING), ("parents", ASCENDING))),
        Index((("tenant", ASCENDING), ("framework", ASCENDING))),
        Index((("tenant", ASCENDING), ("mastery_threshold", ASCENDING)), where={"mastery_threshold": {"$gt": 0}}),
    ),
)


@dataclass(frozen=True, slots=True)
class Around:
    """The part of the frameworks around some competencies: all that is above them, and the children of all of that."""

    frameworks: Frameworks = field(default_factory=Frameworks)
    competencies: Mapping[str, CatalogCompetency] = field(default_factory=dict)

    @property
    def titles(self) -> dict[str, str]:
        return {name: one.title for name, one in self.competencies.items()}


class FrameworkRepository:
    """Frameworks of all tenants; every call names its tenant."""

    def __init__(self, db: Database) -> None:
        self._competencies: Collection = db[COMPETENCIES.name]

    async def around(self, tenant: str, competencies: Iterable[str]) -> Around:
        """What rolling up and informing these competencies needs."""
        found: dict[str, CatalogCompetency] = {}
        above: set[str] = set()
        asked = set(competencies)
        for _ in range(DEEPEST + 1):
            new = await self._known(tenant, asked - found.keys())
            found |= new
            parents = {parent for one in new.values() for parent in one.parents}
            above |= parents
            asked = parents | {one.framework for one in new.values()}
            if not asked - found.keys():
                break
        if above:
            query = {"tenant": tenant, "parents": {"$in": sorted(above)}}
            found |= _by_id(await self._competencies.find(query).to_list(None))
        return Around(frameworks_of(found), found)

    async def thresholds(self, tenant: str) -> Frameworks:
        """Of all competencies from which probability on they count as mastered, and nothing else."""
        set_apart = {"tenant": tenant, "mastery_threshold": {"$gt": 0}}
        own = _by_id(await self._competencies.find(set_apart).to_list(None))
        tops = [name for name, one in own.items() if one.framework == name]
        of_frameworks = {"tenant": tenant, "framework": {"$in": tops}}
        below = _by_id(await self._competencies.find(of_frameworks).to_list(None)) if tops else {}
        return Frameworks(thresholds=frameworks_of(below | own).thresholds)

    async def put(self, tenant: str, changes: Mapping[str, CatalogCompetency | None], session: Session) -> None:
        """Store (or, for None, remove) competencies."""
        writes: list[ReplaceOne[Document] | DeleteOne] = [
            DeleteOne({"_id": _id(tenant, name)})
            if one is None
            else ReplaceOne({"_id": _id(tenant, name)}, {"tenant": tenant, **one.model_dump(mode="json")}, upsert=True)
            for name, one in changes.items()
        ]
        if writes:
            await self._competencies.bulk_write(writes, ordered=False, session=session)

    async def _known(self, tenant: str, competencies: Iterable[str]) -> dict[str, CatalogCompetency]:
        ids = [_id(tenant, one) for one in competencies]
        return _by_id(await self._competencies.find({"_id": {"$in": ids}}).to_list(None)) if ids else {}


def frameworks_of(competencies: Mapping[str, CatalogCompetency]) -> Frameworks:
    """What they are parts of, and from which probability on each counts as mastered: its own, else its framework's."""
    own = {name: one.mastery_threshold for name, one in competencies.items()}
    found = {name: own[name] or own.get(one.framework) for name, one in competencies.items()}
    return Frameworks.of(
        {name: one.parents for name, one in competencies.items()},
        {name: threshold for name, threshold in found.items() if threshold is not None},
    )


class CompetenciesHandler:
    """Kafka in: keeps the newest of each competency."""

    def __init__(self, frameworks: FrameworkRepository) -> None:
        self._frameworks = frameworks

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for tenant, competencies in newest(messages).items():
            await self._frameworks.put(tenant, competencies, session)

    async def committed(self) -> None:
        """Nobody waits for it."""


def _id(tenant: str, competency: str) -> str:
    return f"{tenant}/{competency}"


def _by_id(documents: Iterable[Document]) -> dict[str, CatalogCompetency]:
    return {document["id"]: CatalogCompetency.model_validate(document) for document in documents}

"""States in MongoDB: what of a learner's profile the figures need. The competencies lie sealed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from events.payloads import LearnerProfile, ProfileStatus, RetentionOrder
from events.sealing import Owner, Sealed, Sealer
from learner_model import CompetencyState
from service_kit.candidates import Candidates, outlived
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
    aggregate,
)

STATES: Final = CollectionSpec("states", "derived", (Index((("tenant", ASCENDING),)),))
_MANY: Final = 2000  # from here on one scan of the tenant is cheaper than a list of ids
_OPEN_FIELDS: Final = ("statements", "last_statement_at", "last_stored_at", "evidenced", "sealed")


@dataclass(frozen=True, slots=True)
class Activity:
    """What is known of a learner without opening anything. `evidenced`: there is a competency with a response."""

    statements: int
    last_statement_at: datetime | None
    evidenced: bool


@dataclass(frozen=True, slots=True)
class Competencies:
    """A learner's competencies, and titles of those that the catalog does not know."""

    states: Mapping[str, CompetencyState]
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A profile to keep."""

    learner: str
    profile: LearnerProfile


class StateRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._states: Collection = db[STATES.name]
        self._sealer = sealer

    async def activities(self, tenant: str) -> dict[str, Activity]:
        """The activity of every learner of the tenant whose profile is open."""
        keep = {"learner": 1, "statements": 1, "last_statement_at": 1, "evidenced": 1}
        found = await self._states.find({"tenant": tenant}, keep).to_list(None)
        return {
            d["learner"]: Activity(d["statements"], d["last_statement_at"], d["evidenced"])
            for d in found
            if "statements" in d
        }

    async def competencies(self, tenant: str, learners: Sequence[str]) -> dict[str, Competencies]:
        """The competencies of those learners, opened."""
        wanted: Document = {"tenant": tenant}
        if len(learners) < _MANY:
            wanted = {"_id": {"$in": [_id(tenant, learner) for learner in learners]}}
        asked = set(learners)
        found = [
            d
            for d in await self._states.find(wanted, {"learner": 1, "sealed": 1}).to_list(None)
            if "sealed" in d and d["learner"] in asked
        ]
        opened = await self._sealer.open([Sealed(d["sealed"]["data"], d["sealed"]["key"]) for d in found])
        return {d["learner"]: _competencies(raw) for d, raw in zip(found, opened, strict=True)}

    async def count(self, tenant: str) -> tuple[int, int]:
        """How many states there are, and the sum of their statements."""
        pipeline: list[Document] = [
            {"$match": {"tenant": tenant, "statements": {"$exists": True}}},
            {"$group": {"_id": None, "states": {"$sum": 1}, "statements": {"$sum": "$statements"}}},
        ]
        found = await aggregate(self._states, pipeline)
        return (found[0]["states"], found[0]["statements"]) if found else (0, 0)

    async def versions(self, tenant: str, learners: Iterable[str], session: Session) -> dict[str, int]:
        ids = [_id(tenant, learner) for learner in learners]
        found = self._states.find({"_id": {"$in": ids}}, {"learner": 1, "version": 1}, session=session)
        return {d["learner"]: d["version"] async for d in found}

    async def keep(self, tenant: str, profiles: Sequence[Kept], session: Session) -> None:
        """Write the profiles over what is there; a closed one leaves nothing but its version."""
        raw = [(Owner(tenant, k.learner), _packed(k.profile)) for k in profiles]
        sealed = await self._sealer.seal(raw)
        changes = [_change(tenant, k, s) for k, s in zip(profiles, sealed, strict=True)]
        if changes:
            await self._states.bulk_write(changes, ordered=False, session=session)

    async def outlived(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        """The next learners whose copy a retention rule takes."""
        return await outlived(self._states, tenant, after, order)

    async def last_stored(self, tenant: str, learner: str, session: Session) -> datetime | None:
        """When the newest evidence in the state was stored; None: there is none, or that is not known."""
        found = await self._states.find_one({"_id": _id(tenant, learner)}, {"last_stored_at": 1}, session=session)
        return None if found is None else found.get("last_stored_at")

    async def delete(self, tenant: str, learners: Sequence[str], session: Session) -> int:
        ids = [_id(tenant, learner) for learner in learners]
        return int((await self._states.delete_many({"_id": {"$in": ids}}, session=session)).deleted_count)


def _id(tenant: str, learner: str) -> str:
    return f"{tenant}/{learner}"


def _change(tenant: str, kept: Kept, sealed: Sealed) -> Any:
    profile = kept.profile
    document: Document = {"tenant": tenant, "learner": kept.learner, "version": profile.version}
    change: Document = {"$set": document}
    if profile.status is ProfileStatus.closed or profile.state is None:
        change["$unset"] = dict.fromkeys(_OPEN_FIELDS, "")
    else:
        document |= {
            "statements": profile.statements,
            "last_statement_at": profile.last_statement_at,
            "last_stored_at": profile.last_stored_at,
            "evidenced": any(c.evidence_count > 0 for c in profile.state.competencies.values()),
            "sealed": {"data": sealed.data, "key": sealed.key},
        }
    return UpdateOne({"_id": _id(tenant, kept.learner)}, change, upsert=True)


def _packed(profile: LearnerProfile) -> bytes:
    states = profile.state.competencies if profile.state else {}
    return orjson.dumps({"states": {name: list(c) for name, c in states.items()}, "titles": profile.titles})


def _competencies(raw: bytes) -> Competencies:
    found = orjson.loads(raw)
    return Competencies({name: CompetencyState(*c) for name, c in found["states"].items()}, found["titles"])

"""MongoDB out: the newest profile of each learner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from events.payloads import LearnerProfile, ProfileStatus, RetentionOrder
from events.sealing import Owner, Sealed, Sealer
from learner_model import LearnerState, decode, encode
from learner_model.overruling import Overruling
from pydantic import TypeAdapter
from service_kit.candidates import Candidates, outlived
from service_kit.mongo import Collection, CollectionSpec, Database, DeleteOne, Document, ReplaceOne, Session

LEARNERS: Final = CollectionSpec("learners", "derived")
_SAID: Final = TypeAdapter(dict[str, Overruling])


@dataclass(frozen=True, slots=True)
class HeldProfile:
    """A learner as held here. `state` None: the purpose `profile` is stopped, or nothing is known. `said`: by teachers
    of competencies.
    """

    reflects: str | None = None
    titles: Mapping[str, str] | None = None
    state: LearnerState | None = None
    said: Mapping[str, Overruling] = field(default_factory=dict)


class LearnerRepository:
    """States pass through the one `seal`/`open` pair."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._learners: Collection = db[LEARNERS.name]
        self._sealer = sealer

    async def get(self, tenant: str, learner: str) -> HeldProfile | None:
        found = await self._learners.find_one({"_id": _id(tenant, learner)})
        if found is None:
            return None
        if found["state"] is None:
            return HeldProfile(None, {}, None)
        parts = [found["state"], *([found["said"]] if found.get("said") else [])]
        state, *said = await self._sealer.open([Sealed(bytes(one["data"]), one["key"]) for one in parts])
        return HeldProfile(
            found["reflects"], found["titles"], decode(state), _SAID.validate_json(said[0]) if said else {}
        )

    async def versions(self, tenant: str, learners: Iterable[str], session: Session) -> dict[str, int]:
        """The version held of each of these learners."""
        keys = {_id(tenant, learner): learner for learner in learners}
        found = self._learners.find({"_id": {"$in": list(keys)}}, {"version": 1}, session=session)
        return {keys[document["_id"]]: document["version"] for document in await found.to_list(None)}

    async def put(self, tenant: str, profiles: Mapping[str, LearnerProfile], session: Session) -> None:
        """Replace what is held of these learners."""
        states = {one: encode(p.state) for one, p in profiles.items() if p.state is not None}
        said = {one: _SAID.dump_json(_said(p)) for one, p in profiles.items() if p.estimates}
        sealed, beside = await self._sealed(tenant, states), await self._sealed(tenant, said)
        changes = [
            ReplaceOne(
                {"_id": _id(tenant, learner)},
                _document(profile, sealed.get(learner), beside.get(learner)),
                upsert=True,
            )
            for learner, profile in profiles.items()
        ]
        if changes:
            await self._learners.bulk_write(changes, ordered=False, session=session)

    async def close(self, tenant: str, learner: str, session: Session) -> None:
        """Keep the version alone, so that nothing older comes back."""
        nothing: Document = {
            "status": ProfileStatus.closed,
            "reflects": None,
            "last_stored_at": None,
            "titles": {},
            "state": None,
            "said": None,
        }
        await self._learners.update_one({"_id": _id(tenant, learner)}, {"$set": nothing}, session=session)

    async def remove(self, tenant: str, learners: Sequence[str], session: Session) -> int:
        """Delete all that is held of these learners; how many were."""
        if not learners:
            return 0
        changes = [DeleteOne({"_id": _id(tenant, learner)}) for learner in learners]
        return (await self._learners.bulk_write(changes, ordered=False, session=session)).deleted_count

    async def outlived(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        """The next learners whose copy a retention rule takes."""
        return await outlived(self._learners, tenant, after, order)

    async def last_stored(self, tenant: str, learner: str, session: Session) -> datetime | None:
        """When the newest evidence in what is held was stored; None: nothing is held, or that is not known."""
        found = await self._learners.find_one({"_id": _id(tenant, learner)}, {"last_stored_at": 1}, session=session)
        return None if found is None else found.get("last_stored_at")

    async def count(self, tenant: str) -> int:
        """Learners with a state."""
        return await self._learners.count_documents(
            {"_id": {"$gt": f"{tenant}/", "$lt": f"{tenant}0"}, "status": ProfileStatus.open}
        )

    async def _sealed(self, tenant: str, parts: Mapping[str, bytes]) -> dict[str, Sealed]:
        sealed = await self._sealer.seal([(Owner(tenant, learner), data) for learner, data in parts.items()])
        return dict(zip(parts, sealed, strict=True))


def _id(tenant: str, learner: str) -> str:
    return f"{tenant}/{learner}"


def _said(profile: LearnerProfile) -> dict[str, Overruling]:
    return {
        name: Overruling(probability=one.probability, at=one.at, evidence_count=one.evidence_count)
        for name, one in profile.estimates.items()
    }


def _document(profile: LearnerProfile, state: Sealed | None, said: Sealed | None) -> Document:
    opened = profile.status is ProfileStatus.open
    return {
        "version": profile.version,
        "status": profile.status,
        "reflects": profile.reflects if opened else None,
        "last_stored_at": profile.last_stored_at if opened else None,
        "titles": profile.titles if opened else {},
        "state": {"data": state.data, "key": state.key} if state is not None and opened else None,
        "said": {"data": said.data, "key": said.key} if said is not None and opened else None,
    }

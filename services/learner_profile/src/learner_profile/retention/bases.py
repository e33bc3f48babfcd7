"""MongoDB: the base records, which take the place of evidence that a retention rule has added up and deleted.

`{_id: "tenant/learner", tenant, learner, place: [at_us, statement], newest_us, reflects, model, rows, data, key,
updated_at}`: `data` is what a profile seals, as of `place`; every building anew starts from it. `rows` counts the
evidence in it. A source: nothing can make it again.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from learner_model import MODEL_VERSION
from service_kit.candidates import learners_in
from service_kit.clock import Clock
from service_kit.mongo import Collection, CollectionSpec, Database, Document, Session

from learner_profile.learners.profiles import Base, Place, Profile
from learner_profile.learners.repository import packed, unpacked

log = logging.getLogger(__name__)

BASES: Final = CollectionSpec("bases", "source")


class BaseRepository:
    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._bases: Collection = db[BASES.name]
        self._sealer = sealer
        self._clock = clock

    async def load(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> dict[str, Base]:
        """Those that there are, by learner."""
        ids = [f"{tenant}/{learner}" for learner in learners]
        found = await self._bases.find({"_id": {"$in": ids}}, session=session).to_list(None)
        opened = await self._sealer.open([Sealed(bytes(d["data"]), d["key"]) for d in found])
        return {d["learner"]: _base(d, data) for d, data in zip(found, opened, strict=True)}

    async def put(self, profile: Profile, place: Place, newest_us: int, rows: int, session: Session) -> None:
        """Keep the profile as of the place; `rows` are the pieces of evidence that are new in it."""
        tenant, learner = profile.tenant, profile.learner
        (sealed,) = await self._sealer.seal([(Owner(tenant, learner), packed(replace(profile, said={})))])
        fields: Document = {
            "tenant": tenant,
            "learner": learner,
            "place": list(place),
            "newest_us": newest_us,
            "reflects": list(profile.reflects) if profile.reflects else None,
            "model": MODEL_VERSION,
            "data": sealed.data,
            "key": sealed.key,
            "updated_at": self._clock(),
        }
        change = {"$set": fields, "$inc": {"rows": rows}}
        await self._bases.update_one({"_id": f"{tenant}/{learner}"}, change, upsert=True, session=session)

    async def is_older(self, tenant: str, learner: str, than_us: int, session: Session) -> bool:
        """Whether there is one, and all of the evidence in it was stored before that time."""
        where = {"_id": f"{tenant}/{learner}", "newest_us": {"$lt": than_us}}
        return await self._bases.find_one(where, {"_id": 1}, session=session) is not None

    async def has(self, tenant: str, learner: str, session: Session) -> bool:
        return await self._bases.find_one({"_id": f"{tenant}/{learner}"}, {"_id": 1}, session=session) is not None

    async def remove(self, tenant: str, learner: str, session: Session) -> int:
        result = await self._bases.delete_one({"_id": f"{tenant}/{learner}"}, session=session)
        return int(result.deleted_count)

    async def older(self, tenant: str, after: str, behind: str | None, than_us: int, limit: int) -> list[str]:
        """Learners with such a base (`is_older`), those behind `after`, in the order of their ids."""
        return await learners_in(self._bases, tenant, after, behind, limit, {"newest_us": {"$lt": than_us}})


def _base(document: Document, data: bytes) -> Base:
    profile = Profile(tenant=document["tenant"], learner=document["learner"])
    with suppress(ValueError, TypeError):  # pydantic's ValidationError is one
        profile = unpacked(data, profile)
    folded = profile.folded if profile.folded is not None and profile.folded.current else None
    if folded is None:
        log.warning("this model cannot go on from a base record", extra={"model": document["model"]})
    return Base(
        place=(document["place"][0], document["place"][1]),
        newest_us=document["newest_us"],
        folded=folded,
        titles=profile.titles,
        collaboration=profile.collaboration,
        reflects=tuple(document["reflects"]) if document["reflects"] else None,
    )

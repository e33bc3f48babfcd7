"""MongoDB: the base records, which take the place of evidence that a retention rule has added up and deleted.

`{_id: "tenant/learner", tenant, learner, place: [at_us, statement], newest_us, reflects, model, rows, data, key,
earlier?: [{model, place, data, key}], updated_at}`: `data` is what a profile seals, as of `place`; every building anew
starts from it. `rows` counts the evidence in it. A source: nothing can make it again.

A base that an older version of the model made is gone on from as far as this one can: habits, titles and counts are,
competencies are not. They stay to be read, also (`earlier`) when this version writes its own over it.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from learner_model import MODEL_VERSION, Folded
from learner_model.folding import carried_on
from learner_model.reading import habits_of, state_of
from learner_model.state import EPOCH
from msgspec.structs import replace
from service_kit.candidates import learners_in
from service_kit.clock import Clock
from service_kit.mongo import Collection, CollectionSpec, Database, Document, Session

from learner_profile.learners.profiles import Base, Earlier, Place, Profile
from learner_profile.learners.repository import packed, unpacked

log = logging.getLogger(__name__)

BASES: Final = CollectionSpec("bases", "source")
_EARLIER: Final = ("model", "place", "data", "key")


class BaseRepository:
    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._bases: Collection = db[BASES.name]
        self._sealer = sealer
        self._clock = clock

    async def load(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> dict[str, Base]:
        """Those that there are, by learner."""
        ids = [f"{tenant}/{learner}" for learner in learners]
        found = await self._bases.find({"_id": {"$in": ids}}, session=session).to_list(None)
        parts = [[one, *one.get("earlier", ())] for one in found]
        opened = iter(await self._sealer.open([Sealed(bytes(p["data"]), p["key"]) for part in parts for p in part]))
        return {
            one["learner"]: _base(one, [next(opened) for _ in part]) for one, part in zip(found, parts, strict=True)
        }

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
        change: Document = {"$set": fields, "$inc": {"rows": rows}}
        older = {"_id": f"{tenant}/{learner}", "model": {"$ne": MODEL_VERSION}}
        before = await self._bases.find_one(older, _EARLIER, session=session)
        if before is not None:
            change["$push"] = {"earlier": {name: before[name] for name in _EARLIER}}
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


def _base(document: Document, opened: Sequence[bytes]) -> Base:
    """`opened`: its own data, and that of each of the earlier ones."""
    read = _read(opened[0])
    earlier = [_earlier(one, _read(data)) for one, data in zip(document.get("earlier", ()), opened[1:], strict=True)]
    folded = read.folded if read is not None else None
    if document["model"] != MODEL_VERSION or (folded is not None and not _goes_on(folded)):
        log.warning("of a base record the habits alone go on, if any", extra={"model": document["model"]})
        earlier.append(_earlier(document, read))
        folded = carried_on(folded) if folded is not None else None
    profile = read or Profile(tenant=document["tenant"], learner=document["learner"])
    return Base(
        place=(document["place"][0], document["place"][1]),
        newest_us=document["newest_us"],
        folded=folded,
        titles=profile.titles,
        collaboration=profile.collaboration,
        reflects=tuple(document["reflects"]) if document["reflects"] else None,
        earlier=tuple(earlier),
    )


def _read(data: bytes) -> Profile | None:
    """What was packed; None where this version of the model cannot read it."""
    try:
        return unpacked(data, Profile(tenant="", learner=""))
    except (ValueError, TypeError):  # pydantic's ValidationError is one
        return None


def _goes_on(folded: Folded) -> bool:
    try:
        state_of(folded)
    except ValueError:  # MemoryVersionError is one
        return False
    return folded.current


def _earlier(document: Document, read: Profile | None) -> Earlier:
    until = EPOCH + timedelta(microseconds=document["place"][0])
    return Earlier(document["model"], until, habits_of(read.folded) if read is not None and read.folded else None)

"""Links in MongoDB: `{_id, tenant, learner, guardian, sealed}`. `guardian` is a digest of tenant and `sub`, to be found
by; who it is, the learner's birthday and the dates are sealed under the learner's key. An erasure deletes them.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from pydantic import TypeAdapter
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

from privacy.guardians.links import Link

GUARDIANS: Final = CollectionSpec(
    "guardians",
    "source",
    (
        Index((("tenant", ASCENDING), ("learner", ASCENDING))),
        Index((("tenant", ASCENDING), ("guardian", ASCENDING))),
    ),
)
_LINK: Final = TypeAdapter(Link)


class Guardians:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._links: Collection = db[GUARDIANS.name]
        self._sealer = sealer

    async def put(self, tenant: str, link: Link, session: Session | None = None) -> None:
        [sealed] = await self._sealer.seal([(Owner(tenant, link.learner), _LINK.dump_json(link))])
        document = {
            "tenant": tenant,
            "learner": link.learner,
            "guardian": _digest(tenant, link.guardian),
            "sealed": {"data": sealed.data, "key": sealed.key},
        }
        await self._links.replace_one({"_id": link.id}, document, upsert=True, session=session)

    async def find(self, tenant: str, link_id: str, session: Session | None = None) -> Link | None:
        found = await self._links.find_one({"_id": link_id, "tenant": tenant}, session=session)
        return (await self._opened([found]))[0] if found else None

    async def of_learner(self, tenant: str, learner: str, session: Session | None = None) -> list[Link]:
        """Every link, the ended too, oldest first."""
        found = await self._links.find({"tenant": tenant, "learner": learner}, session=session).to_list(None)
        return sorted(await self._opened(found), key=lambda link: link.id)

    async def of_guardian(self, tenant: str, subject: str) -> list[Link]:
        """Every link of whoever holds a token with this `sub`."""
        found = await self._links.find({"tenant": tenant, "guardian": _digest(tenant, subject)}).to_list(None)
        return sorted(await self._opened(found), key=lambda link: link.id)

    async def acts_for(self, tenant: str, subject: str, people: Sequence[str], now: datetime) -> bool:
        """Whether this guardian may act now for one of a person's learners, and so for all."""
        links = await self.of_guardian(tenant, subject)
        return any(link.learner in people and link.active(now) for link in links)

    async def born(self, tenant: str, people: Sequence[str], session: Session | None = None) -> date | None:
        """The birthday of the person behind these learners, if a link says it: the end of a link makes nobody older.

        Of several birthdays that of the newest link.
        """
        links = [link for one in people for link in await self.of_learner(tenant, one, session)]
        return next((link.born for link in sorted(links, key=lambda link: link.id, reverse=True) if link.born), None)

    async def _opened(self, documents: Sequence[Document]) -> list[Link]:
        sealed = [Sealed(bytes(d["sealed"]["data"]), d["sealed"]["key"]) for d in documents]
        return [_LINK.validate_json(data) for data in await self._sealer.open(sealed)]


def _digest(tenant: str, subject: str) -> str:
    return hashlib.sha256(f"{tenant}\n{subject}".encode()).hexdigest()

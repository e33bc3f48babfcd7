"""Certificates in MongoDB: `{_id: request, tenant, number, issued_at, jws, earlier}`. None is ever overwritten: a later
one takes the earlier ones along. A fulfilment names no learner; the text of a refusal lies sealed as its request does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.sealing import KeyGone, Owner, Sealed, Sealer
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

CERTIFICATES: Final = CollectionSpec("certificates", "source", (Index((("tenant", ASCENDING), ("_id", ASCENDING))),))


@dataclass(frozen=True, slots=True)
class Issued:
    issued_at: datetime
    jws: str
    earlier: tuple[str, ...] = ()


class Certificates:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._certificates: Collection = db[CERTIFICATES.name]
        self._sealer = sealer

    async def add(
        self, tenant: str, request: str, number: str, at: datetime, jws: str, owner: Owner | None, session: Session
    ) -> None:
        """`owner`: whose it is, where its words are personal data."""
        kept: Document = {"number": number, "issued_at": at}
        if owner is None:
            kept["jws"] = jws
        else:
            (sealed,) = await self._sealer.seal([(owner, jws.encode())])
            kept["sealed"] = {"data": sealed.data, "key": sealed.key}
        change = {"$set": {"tenant": tenant}, "$push": {"issued": kept}}
        await self._certificates.update_one({"_id": request}, change, upsert=True, session=session)

    async def find(self, tenant: str, request: str) -> Issued | None:
        """The last one, and those before it."""
        found = await self._certificates.find_one({"_id": request, "tenant": tenant})
        if found is None:
            return None
        issued = [(one["issued_at"], await self._read(one)) for one in found["issued"]]
        known = [(at, jws) for at, jws in issued if jws is not None]
        return Issued(*known[-1], tuple(jws for _, jws in known[:-1])) if known else None

    async def _read(self, kept: Document) -> str | None:
        if "jws" in kept:
            return str(kept["jws"])
        try:
            (opened,) = await self._sealer.open([Sealed(bytes(kept["sealed"]["data"]), kept["sealed"]["key"])])
        except KeyGone:
            return None
        return opened.decode()

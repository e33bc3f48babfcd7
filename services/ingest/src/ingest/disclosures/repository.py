"""The collections `disclosures` and `passing_on`.

- `disclosures`: `{_id: "tenant/learner/recipient", tenant, learner, recipient, kind, name, purpose, statements,
  first_at, last_at}`, one for each learner and recipient, as long as the learner's record lives (34 CFR 99.32(a)(2)).
  A batch that is sent again after a crash counts again: it may say more than was given, never less.
- `passing_on`: `{_id, tenant, request, forwarding, name, purpose, total, statements, due_at, tries, since}`: ids of
  statements that a recipient is to void. No learner stands there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session, UpdateOne

DISCLOSURES: Final = CollectionSpec("disclosures", "source", (Index((("tenant", ASCENDING), ("learner", ASCENDING))),))
PASSING_ON: Final = CollectionSpec("passing_on", "source", (Index((("due_at", ASCENDING),)),))
AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Recipient:
    """`id` is that of the forwarding, or the name under which an export was made."""

    id: str
    kind: Literal["forwarding", "export"]
    name: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What a recipient was given of a learner."""

    recipient: Recipient
    statements: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Passing:
    """Statements that a recipient is to void for the sake of a request. `total`: of all its parts."""

    id: str
    tenant: str
    request: str
    forwarding: str
    name: str
    purpose: str
    total: int
    statements: tuple[str, ...]
    tries: int
    since: datetime


class DisclosureRepository:
    def __init__(self, db: Database) -> None:
        self._disclosures: Collection = db[DISCLOSURES.name]
        self._passing: Collection = db[PASSING_ON.name]

    async def record(
        self, tenant: str, recipient: Recipient, learners: Iterable[Sequence[str | None]], at: datetime
    ) -> None:
        """Statements that were given; each says whom it is about."""
        counts = Counter(learner for one in learners for learner in set(one) if learner is not None)
        changes: list[Any] = [
            UpdateOne(
                {"_id": f"{tenant}/{learner}/{recipient.id}"}, _change(tenant, learner, recipient, n, at), upsert=True
            )
            for learner, n in counts.items()
        ]
        if changes:
            await self._disclosures.bulk_write(changes, ordered=False)

    async def of_learner(self, tenant: str, learner: str, session: Session | None = None) -> list[Disclosed]:
        found = await self._disclosures.find({"tenant": tenant, "learner": learner}, session=session).to_list(None)
        return [
            Disclosed(
                Recipient(d["recipient"], d["kind"], d["name"], d["purpose"]),
                d["statements"],
                d["first_at"],
                d["last_at"],
            )
            for d in found
        ]

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        result = await self._disclosures.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return result.deleted_count

    # Passing on

    async def pass_on(
        self,
        tenant: str,
        request: str,
        recipient: Recipient,
        statements: Sequence[str],
        at: datetime,
        session: Session,
        part: str = "",
    ) -> None:
        """Have the recipient void these statements; repeatable. `part`: names them, where more may come."""
        for start in range(0, len(statements), AT_ONCE):
            some = list(statements[start : start + AT_ONCE])
            document = {
                "tenant": tenant,
                "request": request,
                "forwarding": recipient.id,
                "name": recipient.name,
                "purpose": recipient.purpose,
                "total": len(statements),
                "statements": some,
                "due_at": at,
                "tries": 0,
                "since": at,
            }
            key = f"{request}/{recipient.id}/{part}{start // AT_ONCE:06}"
            await self._passing.update_one({"_id": key}, {"$setOnInsert": document}, upsert=True, session=session)

    async def next_due(self, now: datetime, until: datetime) -> Passing | None:
        """The next that is due; nobody else takes it before `until`."""
        found = await self._passing.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": until}, "$inc": {"tries": 1}}, sort=[("due_at", ASCENDING)]
        )
        return _passing(found) if found else None

    async def again(self, passing: Passing, at: datetime) -> None:
        await self._passing.update_one({"_id": passing.id}, {"$set": {"due_at": at}})

    async def done(self, passing: Passing, *, all_parts: bool, session: Session) -> bool:
        """It leaves, with `all_parts` the others of its request and recipient too; whether it was the last."""
        first = f"{passing.request}/{passing.forwarding}/"
        others = {"_id": {"$gte": first, "$lt": first[:-1] + "0"}}
        if all_parts:
            await self._passing.delete_many(others, session=session)
            return True
        await self._passing.delete_one({"_id": passing.id}, session=session)
        return await self._passing.find_one(others, {"_id": 1}, session=session) is None


def _change(tenant: str, learner: str, recipient: Recipient, count: int, at: datetime) -> Document:
    about: Mapping[str, Any] = {
        "tenant": tenant,
        "learner": learner,
        "recipient": recipient.id,
        "kind": recipient.kind,
        "name": recipient.name,
        "purpose": recipient.purpose,
    }
    return {
        "$set": dict(about),
        "$inc": {"statements": count},
        "$min": {"first_at": at},
        "$max": {"last_at": at},
    }


def _passing(document: Document) -> Passing:
    return Passing(
        id=document["_id"],
        tenant=document["tenant"],
        request=document["request"],
        forwarding=document["forwarding"],
        name=document["name"],
        purpose=document["purpose"],
        total=document["total"],
        statements=tuple(document["statements"]),
        tries=document["tries"],
        since=document["since"],
    )

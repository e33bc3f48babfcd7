"""What a service is ordered to do by retention rules, and how far it has come.

`retention_orders`: `{_id: "tenant/run/portion", tenant, request, after, place, counts, kept, due_at?, done_at?}`.
`after` is the last learner who is done, `place` who was begun with and where those records go on (`{learner, at}`);
both are written in the transaction that changes the records. What is done stays for a month, so that an order that is
sent again gives the same receipt.

`step` counts its writes: of two who carry out the same step one fails.

`{_id: tenant, fence}`: written by whoever holds a learner and by every step of a rule, so that of two at the same time
one begins anew: no step that began before a hold ends after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from events.errors import NotReady
from events.payloads import Receipt, Request, RetentionOrder, Told

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

KEPT_DAYS: Final = 30
ORDERS: Final = CollectionSpec(
    "retention_orders",
    "source",
    (
        Index((("due_at", ASCENDING),), where={"due_at": {"$exists": True}}),
        Index((("done_at", ASCENDING),), expire_after_seconds=KEPT_DAYS * 86_400),
    ),
)
Place = Mapping[str, Any]
"""Where a learner's records go on: what the service makes of it; in an order, with the learner."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order and how far it has come. `kept`: what was left although it matched, by the reason why. `since`: when it
    came; the oldest is carried out before the next is begun. `told`: recipients outside who have what went.
    """

    tenant: str
    request: Request
    after: str | None
    place: Place | None
    counts: Mapping[str, int]
    kept: Mapping[str, int]
    since: datetime
    step: int = 0
    done_at: datetime | None = None
    told: Sequence[Told] = ()

    @property
    def order(self) -> RetentionOrder:
        if self.request.retention is None:
            raise ValueError("not an order of a retention rule")
        return self.request.retention

    @property
    def id(self) -> str:
        return f"{self.tenant}/{self.request.request_id}/{self.order.portion}"

    def receipt(self, service: str) -> Receipt:
        if self.done_at is None:
            raise ValueError("a receipt is for what is done")
        return Receipt(
            service=service,
            kind="retention",
            request_id=self.request.request_id,
            portion=self.order.portion,
            counts=dict(self.counts),
            kept=dict(self.kept),
            recipients=list(self.told),
            completed_at=self.done_at,
        )


class Overtaken(NotReady):
    """Somebody else has carried out this step."""


class Orders:
    def __init__(self, db: Database) -> None:
        self._orders: Collection = db[ORDERS.name]

    async def begin(self, tenant: str, request: Request, now: datetime, session: Session) -> Ordered | None:
        """Note it, unless it is known; where it is done already, with what came of it."""
        fresh = Ordered(tenant, request, None, None, {}, {}, now)
        found = await self._orders.find_one({"_id": fresh.id}, session=session)
        if found is None:
            await self._orders.insert_one({"_id": fresh.id, **_document(fresh), "due_at": now}, session=session)
            return None
        known = _ordered(found)
        return known if known.done_at is not None else None

    async def claim(self, now: datetime, claim: timedelta) -> Ordered | None:
        """The order that waits longest; nobody else takes it for so long."""
        found = await self._orders.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": now + claim}}, sort=[("due_at", ASCENDING)]
        )
        return None if found is None else _ordered(found)

    async def put(self, ordered: Ordered, session: Session | None = None) -> None:
        """Store how far it has come with its next step; one that is done is due no more. Raises `Overtaken`."""
        change: Document = {"$set": _document(ordered) | ({} if ordered.done_at else {"due_at": ordered.since})}
        if ordered.done_at is not None:
            change["$unset"] = {"due_at": ""}
        before = {"_id": ordered.id, "step": ordered.step - 1}
        if (await self._orders.update_one(before, change, session=session)).matched_count == 0:
            raise Overtaken

    async def give_back(self, ordered: Ordered) -> None:
        """The step failed: somebody else may try at once."""
        await self._orders.update_one({"_id": ordered.id, "step": ordered.step}, {"$set": {"due_at": ordered.since}})

    async def fence(self, tenant: str, session: Session) -> None:
        await self._orders.update_one({"_id": tenant}, {"$inc": {"fence": 1}}, upsert=True, session=session)


def _document(ordered: Ordered) -> Document:
    return {
        "tenant": ordered.tenant,
        "request": ordered.request.model_dump(mode="json"),
        "after": ordered.after,
        "place": ordered.place,
        "counts": dict(ordered.counts),
        "kept": dict(ordered.kept),
        "since": ordered.since,
        "step": ordered.step,
        "told": [one.model_dump() for one in ordered.told],
        **({"done_at": ordered.done_at} if ordered.done_at else {}),
    }


def _ordered(document: Document) -> Ordered:
    return Ordered(
        document["tenant"],
        Request.model_validate(document["request"]),
        document["after"],
        document["place"],
        document["counts"],
        document["kept"],
        document["since"],
        document["step"],
        document.get("done_at"),
        tuple(Told.model_validate(one) for one in document.get("told", ())),
    )


def told_together(*parts: Sequence[Told]) -> tuple[Told, ...]:
    """Each recipient once, with the sum of the statements."""
    found: dict[tuple[str, str], Told] = {}
    for one in (one for part in parts for one in part):
        held = found.get((one.name, one.purpose))
        sum_ = one.statements + (held.statements if held else 0)
        found[one.name, one.purpose] = one.model_copy(update={"statements": sum_})
    return tuple(found.values())

"""Of whom a retention rule could take something: asked of an index, outside a transaction.

What is named here may be too many, never too few: a step looks again, in its own transaction.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.payloads import RetentionAction, RetentionOrder

from service_kit.mongo import ASCENDING, Collection, Document
from service_kit.selecting import before, is_outlived, is_whole

LOOKED_AT_ONCE: Final = 500
FAN: Final = 8


@dataclass(frozen=True, slots=True)
class Candidates:
    """Learners in the order of their ids. `reached`: up to whom was looked (None: to the end of the portion)."""

    learners: Sequence[str] = ()
    reached: str | None = None

    def after(self, learner: str | None) -> list[str]:
        return [one for one in self.learners if learner is None or one > learner]


async def some_of(learners: Sequence[str], any_of: Callable[[Sequence[str]], Awaitable[bool]]) -> list[str]:
    """Those of whom it holds, in order: one question where that is nobody. `any_of` holds of many if of one."""
    if not learners or not await any_of(learners):
        return []
    if len(learners) == 1:
        return list(learners)
    size = -(-len(learners) // FAN)
    parts = [learners[start : start + size] for start in range(0, len(learners), size)]
    return [one for part in parts for one in await some_of(part, any_of)]


def merged(found: Iterable[Sequence[str]], limit: int) -> Candidates:
    """Of several lists, each in order and cut at `limit`, as far as all of them reach."""
    lists = [list(one) for one in found]
    reached = min((one[-1] for one in lists if len(one) >= limit), default=None)
    return Candidates(sorted({who for one in lists for who in one if reached is None or who <= reached}), reached)


async def outlived(collection: Collection, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
    """Of a collection whose `_id` is `tenant/learner`: whose copy goes (`outlives`), by its `last_stored_at`."""
    selection = order.selection
    if order.action is RetentionAction.aggregate or before(selection) is None or not is_whole(selection):
        return Candidates()
    start = order.first if after is None else after
    fields = {"last_stored_at": 1}
    found = await between(collection, tenant, start, order.behind, LOOKED_AT_ONCE, fields=fields)
    gone = [_learner(tenant, one) for one in found if outlives(order, one.get("last_stored_at"))]
    return Candidates(gone, _learner(tenant, found[-1]) if len(found) == LOOKED_AT_ONCE else None)


def outlives(order: RetentionOrder, newest: datetime | None) -> bool:
    """Whether a copy of what was made of a learner's records goes, the newest of which was stored then."""
    return order.action is not RetentionAction.aggregate and is_outlived(order.selection, newest)


async def between(
    collection: Collection,
    tenant: str,
    after: str,
    behind: str | None,
    limit: int,
    *,
    where: Document | None = None,
    fields: Document | None = None,
) -> list[Document]:
    """Documents of a collection whose `_id` is `tenant/learner`, of those behind `after` and before `behind`."""
    end = f"{tenant}0" if behind is None else f"{tenant}/{behind}"  # "0" follows "/"
    asked = {"_id": {"$gt": f"{tenant}/{after}", "$lt": end}} | (where or {})
    return await collection.find(asked, fields or {"_id": 1}).sort("_id", ASCENDING).limit(limit).to_list(None)


async def learners_in(
    collection: Collection, tenant: str, after: str, behind: str | None, limit: int, where: Document | None = None
) -> list[str]:
    """The learners of `between`."""
    return [_learner(tenant, one) for one in await between(collection, tenant, after, behind, limit, where=where)]


def _learner(tenant: str, document: Document) -> str:
    return str(document["_id"]).removeprefix(f"{tenant}/")

"""HTTP in: what the curriculum's owner has still to map."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest

from learner_profile.evidence.repository import Sample
from learner_profile.state import State, StateDep
from learner_profile.unmapped.schemas import UnmappedOut

router = APIRouter(tags=["unmapped"])

_AT_ONCE: Final = 500
_MOST_LOOKS: Final = 20


@router.get("/unmapped")
async def unmapped(
    principal: Annotated[Principal, Depends(require(Role.operator, Role.app))],
    state: StateDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Page[UnmappedOut]:
    """Activities with evidence that count towards no competency, by the catalog or by what their statements say
    themselves; by id, with how much there is.

    To map one in the catalog moves its evidence. A page may hold less
    than `limit` where nearly everything is mapped; only `next` says whether there is more.
    """
    found, last, more = await _look(principal.tenant, _place(cursor), limit, state)
    people = await state.merges.people(principal.tenant)
    counts = await state.evidence.count_by_activity(principal.tenant, [one.activity for one in found], people)
    readings = [(one, await state.evidence.read(one)) for one in found if one.activity in counts]
    items = [
        UnmappedOut.of(one, reading, *counts[one.activity])
        for one, reading in readings
        if reading is None or not reading.claims
    ]
    return Page(items=items, next=encode_cursor([last]) if more else None)


async def _look(tenant: str, after: str, limit: int, state: State) -> tuple[list[Sample], str, bool]:
    """The unmapped ones after that place, where the look ended, and whether there may be more."""
    found: list[Sample] = []
    for _ in range(_MOST_LOOKS):
        samples = await state.evidence.activities_after(tenant, after, _AT_ONCE)
        names = {name for one in samples for name in (one.activity, *one.activities)}
        mapped = {name for name, one in (await state.activities.mapped(tenant, names)).items() if one.competencies}
        for one in samples:
            if len(found) == limit:
                return found, after, True
            after = one.activity
            if mapped.isdisjoint((one.activity, *one.activities)):
                found.append(one)
        if len(samples) < _AT_ONCE:
            return found, after, False
    return found, after, True


def _place(cursor: str | None) -> str:
    key = decode_cursor(cursor, 1)
    if key is None:
        return ""
    if not isinstance(key[0], str):
        raise BadRequest(
            "`cursor` is not one that this list has given", errors=[{"parameter": "cursor", "in": "query"}]
        )
    return key[0]

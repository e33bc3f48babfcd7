"""HTTP in: rosters."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from service_kit.audit import Action, Audits
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest

from insights.rosters.importing import Mode, count_levels
from insights.rosters.parsing import COLUMNS, RosterInvalid, parse
from insights.rosters.schemas import Imported
from insights.state import StateDep

router = APIRouter(prefix="/rosters", tags=["rosters"])
FAULTS_NAMED: Final = 100
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.post("/import", openapi_extra=_BODY)
async def import_roster(
    request: Request,
    principal: Annotated[Principal, Depends(require(Role.operator))],
    state: StateDep,
    audit: Audits,
    mode: Annotated[Mode, Query(description="replace the whole roster, or put these accounts over it")] = "replace",
) -> Imported:
    """Import a roster: UTF-8 CSV whose header names its columns, in any order.

    `account_home_page`, `account_name` and `role` (learner or teacher) are needed; `display_name`, `class`, `school`,
    `district`, `region` and `attributes` (`name=value;name=value`) may be left out or empty. A learner in several
    classes has several rows; a teacher's rows name the own classes. One wrong row and nothing is stored.

    With `mode=merge` an account of the file takes the place of what the roster held of it; all others stay.
    """
    if request.headers.get("Content-Type", "text/csv").partition(";")[0].strip().lower() != "text/csv":
        raise HTTPException(415, "A roster is text/csv")
    try:
        entries, rows = await asyncio.to_thread(parse, await request.body())
    except RosterInvalid as error:
        raise _refusal(error) from None
    members = await state.importer.run(principal.tenant, entries, mode)
    await audit.done(principal, Action.changed, "rosters", count=len(members))
    levels = count_levels(members)
    return Imported(
        mode=mode,
        rows=rows,
        learners=sum(m.role == "learner" for m in members),
        teachers=sum(m.role == "teacher" for m in members),
        classes=levels["class"],
        schools=levels["school"],
        districts=levels["district"],
        regions=levels["region"],
    )


def _refusal(error: RosterInvalid) -> BadRequest:
    count = len(error.faults)
    more = f"; the first {FAULTS_NAMED} are named" if count > FAULTS_NAMED else ""
    places = [fault._asdict() for fault in error.faults[:FAULTS_NAMED]]
    return BadRequest(f"{count} faults in the roster, whose columns are {', '.join(COLUMNS)}{more}", errors=places)

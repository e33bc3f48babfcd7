"""HTTP in: contesting, confirming and overriding a piece of evidence."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter
from service_kit.audit import Audits
from service_kit.auth import Principal
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import Forbidden

from learner_profile.evidence.mapping import looked_up
from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, Judgement
from learner_profile.judgements.schemas import ContestOut, Override, Said
from learner_profile.learners.access import TEACH, open_profile, own, pupils_among
from learner_profile.learners.parameters import Learner, Limit, Teacher
from learner_profile.learners.schemas import EvidenceOut
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["judgements"])
contests_router = APIRouter(tags=["judgements"])

_AT_ONCE: Final = 200
_MOST_LOOKS: Final = 20


@router.post("/me/evidence/{statement_id}/contest")
async def contest_mine(principal: Learner, statement_id: UUID, said: Said, state: StateDep) -> EvidenceOut:
    """Say that a piece of the own evidence is wrong, and why. It counts for nothing until a teacher has decided."""
    return await _judge(principal, own(principal), statement_id, state, Act.CONTESTED, said.reason)


@router.post("/{learner_id}/evidence/{statement_id}/contest")
async def contest(principal: Learner, learner_id: UUID, statement_id: UUID, said: Said, state: StateDep) -> EvidenceOut:
    """The same under the learner's own id."""
    if own(principal) != str(learner_id):
        raise Forbidden("A learner contests the own evidence alone")
    return await _judge(principal, str(learner_id), statement_id, state, Act.CONTESTED, said.reason)


@router.post("/{learner_id}/evidence/{statement_id}/confirm")
async def confirm(principal: Teacher, learner_id: UUID, statement_id: UUID, said: Said, state: StateDep) -> EvidenceOut:
    """Say that the evidence is right, and why: it counts as it came. For a teacher of one of the learner's classes."""
    return await _judge(principal, str(learner_id), statement_id, state, Act.CONFIRMED, said.reason)


@router.post("/{learner_id}/evidence/{statement_id}/override")
async def override(
    principal: Teacher, learner_id: UUID, statement_id: UUID, said: Override, state: StateDep
) -> EvidenceOut:
    """Put the own judgement in the place of what the statement said, or let it not count, with the reason.

    For a teacher of one of the learner's classes. The statement itself stays as it is in the record.
    """
    return await _judge(principal, str(learner_id), statement_id, state, Act.OVERRIDDEN, said.reason, said.correctness)


@contests_router.get("/contests")
async def contests(
    principal: Teacher,
    state: StateDep,
    audit: Audits,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[ContestOut[EvidenceOut]]:
    """What learners of the caller's own classes contest and nobody has decided since.

    A page may hold less than `limit`; only `next` says whether there is more.
    """
    found, last, more = await _waiting(principal, state, _place(cursor), limit)
    catalog = await state.activities.known(principal.tenant, looked_up(row.reading for _, row in found))
    if found:
        await audit.seen(principal, "contests", *dict.fromkeys(learner for learner, _ in found), ground=TEACH)
    items = [
        ContestOut[EvidenceOut](learner_id=learner, evidence=EvidenceOut.of(row, catalog)) for learner, row in found
    ]
    return Page(items=items, next=encode_cursor([last]) if more else None)


async def _waiting(
    principal: Principal, state: State, after: str, limit: int
) -> tuple[list[tuple[str, Row]], str, bool]:
    """Contested rows of the caller's classes after that place, where the look ended, and whether there may be more."""
    found: list[tuple[str, Row]] = []
    for _ in range(_MOST_LOOKS):
        rows = await state.evidence.contested(principal.tenant, after, _AT_ONCE)
        own_pupils = await pupils_among(principal, {learner for _, learner, _ in rows}, state)
        for place, learner, row in rows:
            if len(found) == limit:
                return found, after, True
            after = place
            if learner in own_pupils:
                found.append((learner, row))
        if len(rows) < _AT_ONCE:
            return found, after, False
    return found, after, True


def _place(cursor: str | None) -> str:
    key = decode_cursor(cursor, 1)
    return "" if key is None else str(key[0])


async def _judge(
    principal: Principal,
    learner: str,
    statement_id: UUID,
    state: State,
    act: Act,
    reason: str,
    correctness: float | None = None,
) -> EvidenceOut:
    _, everyone = await open_profile(principal, learner, state, by_itself=act is Act.CONTESTED, others=())
    said = Judgement(act=act, at=state.clock(), by=principal.subject, reason=reason, correctness=correctness)
    row = await state.judging.judge(principal, everyone, str(statement_id), said)
    return EvidenceOut.of(row, await state.activities.known(principal.tenant, looked_up([row.reading])))

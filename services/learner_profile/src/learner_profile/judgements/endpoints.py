"""HTTP in: contesting, confirming and overriding a piece of evidence."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from service_kit.auth import Principal, Role, require
from service_kit.problems import Forbidden

from learner_profile.evidence.mapping import looked_up
from learner_profile.judgements.judgement import Act, Judgement
from learner_profile.judgements.schemas import Override, Said
from learner_profile.learners.access import open_profile, own
from learner_profile.learners.schemas import EvidenceOut
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["judgements"])

Learner = Annotated[Principal, Depends(require(Role.learner))]
Teacher = Annotated[Principal, Depends(require(Role.teacher))]


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


async def _judge(
    principal: Principal,
    learner: str,
    statement_id: UUID,
    state: State,
    act: Act,
    reason: str,
    correctness: float | None = None,
) -> EvidenceOut:
    await open_profile(principal, learner, state, by_itself=act is Act.CONTESTED, others=())
    said = Judgement(act=act, at=state.clock(), by=principal.subject, reason=reason, correctness=correctness)
    row = await state.judging.judge(principal, learner, str(statement_id), said)
    return EvidenceOut.of(row, await state.activities.known(principal.tenant, looked_up([row.reading])))

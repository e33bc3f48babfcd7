"""`/consents`: what a learner has decided, purpose by purpose."""

from typing import Annotated
from uuid import UUID

from events.payloads import ConsentStatus, Policy
from fastapi import APIRouter, Depends
from service_kit.auth import Principal, Role, require
from service_kit.problems import Forbidden

from privacy.consents.deciding import Command, carry_out, standing
from privacy.consents.decisions import Dossier
from privacy.consents.schemas import ConsentsOfLearner, DecidedPurpose, DecisionBody, PurposeState
from privacy.state import Here, State

router = APIRouter(prefix="/consents", tags=["consents"])

Caller = Annotated[Principal, Depends(require(Role.learner, Role.app, Role.dpo))]
Self = Annotated[Principal, Depends(require(Role.learner))]


@router.get("/me")
async def read_mine(principal: Self, state: Here) -> ConsentsOfLearner:
    """The caller's own decisions."""
    return await _read(principal.tenant, _own(principal), state)


@router.put("/me/{purpose}", status_code=202)
async def decide_mine(purpose: str, body: DecisionBody, principal: Self, state: Here) -> DecidedPurpose:
    """The caller decides; see `PUT /consents/{learner_id}/{purpose}`."""
    return await _decide(principal, _own(principal), purpose, body.status, body, state)


@router.delete("/me/{purpose}", status_code=202)
async def take_back_mine(purpose: str, principal: Self, state: Here) -> DecidedPurpose:
    """The caller takes the decision back."""
    return await _decide(principal, _own(principal), purpose, None, None, state)


@router.get("/{learner_id}")
async def read(learner_id: UUID, principal: Caller, state: Here) -> ConsentsOfLearner:
    """All purposes of the policy with the learner's decision, or the policy's default where there is none."""
    return await _read(principal.tenant, _allowed(principal, learner_id), state)


@router.put("/{learner_id}/{purpose}", status_code=202)
async def decide(learner_id: UUID, purpose: str, body: DecisionBody, principal: Caller, state: Here) -> DecidedPurpose:
    """Decide on a purpose. `enforcement` is `pending` until every service has acknowledged the change.

    409 where the purpose's basis does not know the status: consent is granted or withdrawn; to a public task or a
    legitimate interest a learner objects; a contract or a legal obligation leaves nothing to decide.
    """
    return await _decide(principal, _allowed(principal, learner_id), purpose, body.status, body, state)


@router.delete("/{learner_id}/{purpose}", status_code=202)
async def take_back(learner_id: UUID, purpose: str, principal: Caller, state: Here) -> DecidedPurpose:
    """Take a decision back: the policy's default holds again. The history keeps both."""
    return await _decide(principal, _allowed(principal, learner_id), purpose, None, None, state)


def _own(principal: Principal) -> str:
    try:
        return str(UUID(principal.learner_id))
    except (TypeError, ValueError):
        raise Forbidden("The token names no learner") from None


def _allowed(principal: Principal, learner_id: UUID) -> str:
    learner = str(learner_id)
    if not principal.may_see(learner, Role.app, Role.dpo):
        raise Forbidden("A learner reaches the own decisions only")
    return learner


async def _read(tenant: str, learner: str, state: State) -> ConsentsOfLearner:
    policy, dossier = await standing(tenant, learner, state)
    purposes = {purpose: _state_of(policy, dossier, purpose) for purpose in policy.purposes}
    return ConsentsOfLearner(learner_id=UUID(learner), purposes=purposes)


async def _decide(
    principal: Principal,
    learner: str,
    purpose: str,
    status: ConsentStatus | None,
    body: DecisionBody | None,
    state: State,
) -> DecidedPurpose:
    details = dict(body.model_extra or {}) if body else {}
    command = Command(principal.tenant, learner, purpose, status, _role(principal, learner), details)
    policy, dossier = await carry_out(command, state)
    now = _state_of(policy, dossier, purpose)
    return DecidedPurpose(learner_id=UUID(learner), purpose=purpose, **now.model_dump())


def _state_of(policy: Policy, dossier: Dossier, purpose: str) -> PurposeState:
    decision = dossier.decisions.get(purpose)
    rule = policy.purposes[purpose]
    return PurposeState(
        status=decision.status if decision else rule.unknown,
        basis=rule.basis,
        enforcement=dossier.enforcement(purpose),
    )


def _role(principal: Principal, learner: str) -> str:
    if principal.may_see(learner):
        return Role.learner.value
    return Role.dpo.value if principal.has(Role.dpo) else Role.app.value

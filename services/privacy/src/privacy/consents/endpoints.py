"""`/consents`: what a learner has decided, purpose by purpose, and the records of it."""

from typing import Annotated, Any
from uuid import UUID

from events.payloads import Basis, ConsentStatus, Policy
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.consent import Standing
from service_kit.problems import Forbidden

from privacy.consents.deciding import Command, Decided, Ruling, carry_out, rule_on, standing
from privacy.consents.decisions import Dossier
from privacy.consents.keeping import Given, note_notice, receipt_of, records_of
from privacy.consents.schemas import (
    ConsentsOfLearner,
    DecidedPurpose,
    DecisionBody,
    NoticeGiven,
    NoticeVersion,
    ObjectionView,
    PurposeState,
    RulingBody,
)
from privacy.requests.access import role_towards
from privacy.state import Here, State

router = APIRouter(prefix="/consents", tags=["consents"])

Caller = Annotated[Principal, Depends(require(Role.learner, Role.guardian, Role.app, Role.dpo))]
Self = Annotated[Principal, Depends(require(Role.learner))]
Office = Annotated[Principal, Depends(require(Role.app, Role.dpo))]
Officer = Annotated[Principal, Depends(require(Role.dpo))]
JSON_LD = "application/ld+json"


class LinkedData(JSONResponse):
    media_type = JSON_LD


@router.get("/me")
async def read_mine(principal: Self, state: Here) -> ConsentsOfLearner:
    """The caller's own decisions."""
    return await _read(principal, _own(principal), state)


@router.get("/me/records", response_class=LinkedData)
async def my_records(principal: Self, state: Here) -> list[dict[str, Any]]:
    """The caller's own records; see `GET /consents/{learner_id}/records`."""
    return await records_of(principal.tenant, _own(principal), state)


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
    return await _read(principal, await _allowed(principal, learner_id, state), state)


@router.get("/{learner_id}/records", response_class=LinkedData)
async def records(learner_id: UUID, principal: Caller, state: Here) -> list[dict[str, Any]]:
    """A consent record (ISO/IEC TS 27560, terms of the W3C Data Privacy Vocabulary) for each purpose that rests on
    consent and of which anything is kept, a notice record for each other. Every event is in it, none is ever changed.
    """
    learner = await _allowed(principal, learner_id, state)
    await _noticed(principal, learner, "consents/records", state)
    return await records_of(principal.tenant, learner, state)


@router.get("/{learner_id}/receipts/{receipt_id}", response_class=LinkedData)
async def receipt(learner_id: UUID, receipt_id: UUID, principal: Caller, state: Here) -> dict[str, Any]:
    """The receipt of one event: the learner's copy of the record as it was then."""
    learner = await _allowed(principal, learner_id, state)
    await _noticed(principal, learner, "consents/receipts", state)
    return await receipt_of(principal.tenant, learner, str(receipt_id), state)


@router.put("/{learner_id}/{purpose}", status_code=202)
async def decide(learner_id: UUID, purpose: str, body: DecisionBody, principal: Caller, state: Here) -> DecidedPurpose:
    """Decide on a purpose. `enforcement` is `pending` until every service has acknowledged the change.

    409 where the purpose's basis does not know the status: consent is granted or withdrawn; to a public task or a
    legitimate interest a learner objects; for a contract or a legal obligation neither applies.
    """
    return await _decide(principal, await _allowed(principal, learner_id, state), purpose, body.status, body, state)


@router.delete("/{learner_id}/{purpose}", status_code=202)
async def take_back(learner_id: UUID, purpose: str, principal: Caller, state: Here) -> DecidedPurpose:
    """Take a decision back: the policy's default holds again. The history keeps both."""
    return await _decide(principal, await _allowed(principal, learner_id, state), purpose, None, None, state)


@router.put("/{learner_id}/{purpose}/objection", status_code=202)
async def rule_one(learner_id: UUID, purpose: str, body: RulingBody, principal: Officer, state: Here) -> DecidedPurpose:
    """Decide on an objection, with grounds that the learner is told (GDPR 21(1)). 409 where none stands."""
    learner = str(learner_id)
    ruling = Ruling(principal.tenant, learner, purpose, body.outcome, body.grounds, Who.of(principal))
    return _decided(learner, purpose, await rule_on(ruling, state))


@router.post("/{learner_id}/{purpose}/notices", status_code=201)
async def notice(learner_id: UUID, purpose: str, body: NoticeGiven, principal: Office, state: Here) -> dict[str, str]:
    """Keep that the learner was shown the notice of a purpose; its receipt."""
    learner = str(learner_id)
    details = dict(body.model_extra or {})
    who, role = Who.of(principal), await _role(principal, learner, state)
    given = Given(principal.tenant, learner, purpose, role, who, body.version, body.language, details)
    return {"receipt": _receipt_place(learner, await note_notice(given, state))}


def _own(principal: Principal) -> str:
    try:
        return str(UUID(principal.learner_id))
    except (TypeError, ValueError):
        raise Forbidden("The token names no learner") from None


async def _allowed(principal: Principal, learner_id: UUID, state: State) -> str:
    group = await state.merges.group(principal.tenant, str(learner_id))
    if any(principal.may_see(one, Role.app, Role.dpo) for one in group.everyone):
        return group.root
    if principal.has(Role.guardian) and await state.guardians.acts_for(
        principal.tenant, principal.subject, group.everyone, state.clock()
    ):
        return group.root
    raise Forbidden("One reaches the own decisions only, and those of a learner for whom one is guardian")


async def _noticed(principal: Principal, learner: str, what: str, state: State) -> None:
    await state.audit.noticed(AuditEntry(principal.tenant, Who.of(principal), Action.saw, what, (learner,)))


async def _read(principal: Principal, learner: str, state: State) -> ConsentsOfLearner:
    held = await standing(principal.tenant, learner, state)
    await _noticed(principal, learner, "consents", state)
    purposes = {purpose: state_of(held.policy, held.dossier, purpose) for purpose in held.policy.purposes}
    return ConsentsOfLearner(learner_id=UUID(learner), purposes=purposes)


async def _decide(
    principal: Principal,
    learner: str,
    purpose: str,
    status: ConsentStatus | None,
    body: DecisionBody | None,
    state: State,
) -> DecidedPurpose:
    command = Command(
        principal.tenant,
        learner,
        purpose,
        status,
        await _role(principal, learner, state),
        Who.of(principal),
        dict(body.model_extra or {}) if body else {},
        body.notice_version if body else None,
    )
    return _decided(learner, purpose, await carry_out(command, state))


def _decided(learner: str, purpose: str, decided: Decided) -> DecidedPurpose:
    now = state_of(decided.policy, decided.dossier, purpose)
    place = _receipt_place(learner, decided.entry) if decided.entry else None
    return DecidedPurpose(learner_id=UUID(learner), purpose=purpose, receipt=place, **now.model_dump())


def _receipt_place(learner: str, entry: str) -> str:
    return f"/consents/{learner}/receipts/{entry}"


def state_of(policy: Policy, dossier: Dossier, purpose: str) -> PurposeState:
    decision = dossier.decisions.get(purpose)
    rule = policy.purposes[purpose]
    held = Standing(policy, dossier.message())
    objection = dossier.objections.get(purpose)
    return PurposeState(
        status=decision.status if decision else rule.unknown,
        basis=rule.basis,
        enforcement=dossier.enforcement(purpose),
        allowed=held.allows(purpose),
        ask=rule.basis is Basis.consent and (decision is None or held.asks_again(purpose)),
        notice=NoticeVersion(version=rule.notice.version, language=rule.notice.language),
        objection=ObjectionView(since=objection.since, outcome=objection.outcome, decided_at=objection.decided_at)
        if objection
        else None,
    )


async def _role(principal: Principal, learner: str, state: State) -> str:
    return await role_towards(principal, learner, state) or Role.app.value

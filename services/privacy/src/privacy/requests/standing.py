"""Requests that are carried out as the learner's standing: restriction (GDPR 18) and objection (GDPR 21)."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from events.payloads import Basis, ConsentStatus
from service_kit.mongo import Session
from service_kit.problems import Conflict, NotFound

from privacy.consents.decisions import ENFORCERS, Dossier, decide, restrict, rule
from privacy.consents.keeping import note_decisions
from privacy.requests.progress import Carried, DataRequest, received
from privacy.state import State

OBJECTED_TO: Final = (Basis.public_task, Basis.legitimate_interest)


async def stop(tenant: str, request: DataRequest, state: State, session: Session) -> DataRequest:
    """Stop what the request is about; the request then waits for that version. Raises `NotFound`, `Conflict`."""
    before = await state.consents.find(tenant, request.learner, session)
    if before.erased:
        raise NotFound("This learner has been forgotten")
    now, after = state.clock(), before
    if request.type == "restriction":
        after = restrict(before, True)
    else:
        for purpose in await _objected(tenant, request, state, session):
            after = decide(after, purpose, ConsentStatus.objected, now)
    return await _put(tenant, request, before, after, state, session)


async def uphold(tenant: str, request: DataRequest, state: State, session: Session) -> DataRequest:
    """An officer upholds what was objected to; what the learner allows again meanwhile goes on."""
    before = await state.consents.find(tenant, request.learner, session)
    now, after = state.clock(), before
    for purpose in await _objected(tenant, request, state, session):
        after = rule(after, purpose, "upheld", now) or after
    return await _put(tenant, request, before, after, state, session, by="dpo")


async def let_go(tenant: str, request: DataRequest, state: State, session: Session) -> None:
    """Undo what `stop` has done: an officer has decided so."""
    before = await state.consents.find(tenant, request.learner, session)
    if before.erased:
        return
    now, after = state.clock(), before
    if request.type == "restriction":
        after = restrict(before, False)
    else:
        for purpose in await _objected(tenant, request, state, session):
            after = rule(after, purpose, "overridden", now) or after
    await _put(tenant, request, before, after, state, session, by="dpo")


async def _put(
    tenant: str,
    request: DataRequest,
    before: Dossier,
    after: Dossier,
    state: State,
    session: Session,
    by: str | None = None,
) -> DataRequest:
    version = max(after.version, 1)
    if after is before and before.version == 0:
        after = replace(before, version=1)  # nothing was known: there must be something to acknowledge
    if after is not before:
        await state.consents.put(tenant, request.learner, after, state.clock(), session)
        who = by or request.requested_by
        await note_decisions(tenant, request.learner, before, after, who, request.id, state, session)
    waiting = replace(request, version=version)
    await state.requests.put(tenant, waiting, session)
    return waiting


def acknowledged(request: DataRequest, dossier: Dossier, now: datetime) -> DataRequest:
    """With the receipts of the services that hold the version already."""
    for service in ENFORCERS:
        if request.version is not None and dossier.acknowledged.get(service, 0) >= request.version:
            request = received(request, service, Carried({}, now))
    return request


async def _objected(tenant: str, request: DataRequest, state: State, session: Session) -> list[str]:
    """The purposes objected to: those named, or all to which one objects. Raises `Conflict`."""
    policy = await state.policies.find(tenant, session)
    known = {n: rule.basis for n, rule in policy.purposes.items()} if policy else {}
    named = request.details.get("purposes") or [name for name, basis in known.items() if basis in OBJECTED_TO]
    wrong = [name for name in named if known.get(name) not in OBJECTED_TO]
    if wrong or not named:
        rest = f": {', '.join(wrong)} rests on neither" if wrong else ""
        raise Conflict(f"One objects to public tasks and legitimate interests{rest} (GDPR 21(1))")
    return list(named)

"""Legal holds set and released. A learner's travels as the learner's standing; one on the tenant stops the runs."""

from collections.abc import Iterable
from dataclasses import replace

from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.problems import NotFound
from uuid_utils.compat import uuid7

from privacy.consents.decisions import ENFORCERS, Dossier
from privacy.consents.decisions import hold as held
from privacy.consents.decisions import let_go as released
from privacy.retention.holds import Hold, HoldStatus
from privacy.retention.schemas import HoldBody
from privacy.state import State


async def found_hold(tenant: str, hold_id: str, state: State, session: Session | None = None) -> Hold:
    """Raises `NotFound`."""
    hold = await state.holds.find(tenant, hold_id, session)
    if hold is None:
        raise NotFound("There is no such legal hold")
    return hold


async def set_hold(tenant: str, body: HoldBody, who: Who, state: State) -> Hold:
    """Raises `NotFound` where a learner is forgotten."""
    learners = sorted({str(one) for one in body.learners})

    async def put(session: Session) -> Hold:
        hold = Hold(
            id=str(uuid7()),
            name=body.name,
            reason=body.reason,
            set_at=state.clock(),
            everyone=body.everyone,
            count=len(learners),
        )
        versions = {one: await keep(tenant, one, hold.mark, state, session) for one in learners}
        hold = replace(hold, versions=versions)
        await state.holds.put(tenant, hold, session)
        await state.audit.record(_entry(tenant, who, "legal-holds/set", learners), session)
        return hold

    return await in_transaction(state.client, put)


async def release_hold(tenant: str, hold_id: str, who: Who, state: State) -> Hold:
    """One that is released stays so. Raises `NotFound`."""

    async def end(session: Session) -> Hold:
        hold = await found_hold(tenant, hold_id, state, session)
        if hold.released_at is not None:
            return hold
        for learner in hold.versions:
            await let_go(tenant, learner, hold.mark, state, session)
        ended = replace(hold, released_at=state.clock())
        await state.holds.put(tenant, ended, session)
        await state.audit.record(_entry(tenant, who, "legal-holds/released", hold.versions), session)
        return replace(ended, versions={})

    return await in_transaction(state.client, end)


async def status_of(tenant: str, hold: Hold, state: State) -> HoldStatus:
    """Effective once every service knows of it, or no portion of a run is under way any more."""
    if hold.released_at is not None:
        return HoldStatus.released
    if hold.everyone:
        return HoldStatus.pending if await state.runs.are_open(tenant) else HoldStatus.effective
    dossiers = await state.consents.of_learners(tenant, hold.versions)
    known = all(one in dossiers and _acknowledged(dossiers[one], version) for one, version in hold.versions.items())
    return HoldStatus.effective if known else HoldStatus.pending


async def keep(tenant: str, learner: str, mark: str, state: State, session: Session) -> int:
    """Have no rule touch the learner; the version that says so. Raises `NotFound` where the learner is forgotten."""
    before = await state.consents.find(tenant, learner, session)
    if before.erased:
        raise NotFound("This learner has been forgotten")
    return await _put(tenant, learner, held(before, mark), state, session)


async def let_go(tenant: str, learner: str, mark: str, state: State, session: Session) -> None:
    """Undo `keep`; another mark may go on holding the learner."""
    before = await state.consents.find(tenant, learner, session)
    after = released(before, mark)
    if after is not before:
        await _put(tenant, learner, after, state, session)


async def _put(tenant: str, learner: str, after: Dossier, state: State, session: Session) -> int:
    await state.consents.put(tenant, learner, after, state.clock(), session)
    return after.version


def _acknowledged(dossier: Dossier, version: int) -> bool:
    return all(dossier.acknowledged.get(service, 0) >= version for service in ENFORCERS)


def _entry(tenant: str, who: Who, what: str, learners: Iterable[str]) -> AuditEntry:
    about = tuple(learners)
    return AuditEntry(tenant, who, Action.changed, what, about, count=len(about) or None)

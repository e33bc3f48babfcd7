"""Records and receipts from what is kept, and notices that were given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events.payloads import Notice, Policy
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.problems import NotFound

from privacy.consents.deciding import standing
from privacy.consents.decisions import Dossier
from privacy.consents.records import JsonLd, Subject, receipt, record
from privacy.consents.repository import HistoryEntry
from privacy.state import State


async def records_of(tenant: str, learner: str, state: State) -> list[JsonLd]:
    """A record for each purpose of which anything is kept, under the basis of its last event. Raises `NotFound`."""
    history, policies = await _kept(tenant, learner, state)
    by_purpose: dict[str, list[HistoryEntry]] = {}
    for entry in history:
        by_purpose.setdefault(entry.purpose, []).append(entry)
    return [
        record(Subject(tenant, learner), events, policies, await state.rules.versions(tenant, events[-1].at))
        for events in by_purpose.values()
    ]


async def receipt_of(tenant: str, learner: str, receipt_id: str, state: State) -> JsonLd:
    """The learner's copy of the record as it was then. Raises `NotFound`."""
    history, policies = await _kept(tenant, learner, state)
    event = next((entry for entry in history if entry.id == receipt_id), None)
    if event is None:
        raise NotFound("There is no such receipt")
    until = [entry for entry in history if entry.purpose == event.purpose and entry.id <= event.id]
    return receipt(Subject(tenant, learner), until, policies, await state.rules.versions(tenant, event.at))


@dataclass(frozen=True, slots=True)
class Given:
    """A notice that was shown to a learner."""

    tenant: str
    learner: str
    purpose: str
    by: str
    who: Who
    version: str | None
    language: str | None
    details: Mapping[str, Any]


async def note_notice(given: Given, state: State) -> str:
    """Keep that it was shown; the id of its record. Raises `NotFound`."""

    async def keep(session: Session) -> str:
        held = await standing(given.tenant, given.learner, state, session)
        terms = held.policy.purposes.get(given.purpose)
        if terms is None:
            raise NotFound(f"The policy knows no such purpose; it knows {', '.join(held.policy.purposes)}")
        notice = Notice(
            version=given.version or terms.notice.version,
            language=given.language or terms.notice.language,
            url=terms.notice.url,
        )
        entry = HistoryEntry(
            learner=given.learner,
            purpose=given.purpose,
            status=None,
            basis=terms.basis,
            policy_version=held.policy.version,
            version=held.dossier.version,
            at=state.clock(),
            by=given.by,
            details=given.details,
            event="notice",
            notice=notice,
        )
        await state.consents.record(given.tenant, entry, session)
        what = f"notices/{given.purpose}"
        await state.audit.record(
            AuditEntry(given.tenant, given.who, Action.changed, what, (given.learner,), given.purpose), session
        )
        return entry.id

    return await in_transaction(state.client, keep)


async def note_decisions(
    tenant: str, learner: str, before: Dossier, after: Dossier, by: str, request: str, state: State, session: Session
) -> None:
    """Keep in the history what a data subject's request has changed."""
    policy = await state.policies.find(tenant, session)
    for purpose, terms in policy.purposes.items() if policy else ():
        was, now = before.decisions.get(purpose), after.decisions.get(purpose)
        objection = after.objections.get(purpose)
        ruled = objection is not None and objection.outcome is not None and objection != before.objections.get(purpose)
        if was == now and not ruled:
            continue
        entry = HistoryEntry(
            learner=learner,
            purpose=purpose,
            status=now.status if now and not ruled else None,
            basis=terms.basis,
            policy_version=policy.version if policy else 0,
            version=after.version,
            at=state.clock(),
            by=by,
            details={"request": request},
            event="ruling" if ruled else "decision",
            notice=terms.notice,
            outcome=objection.outcome if objection and ruled else None,
        )
        await state.consents.record(tenant, entry, session)


async def _kept(tenant: str, learner: str, state: State) -> tuple[Sequence[HistoryEntry], Mapping[int, Policy]]:
    """The history, and the policy of each of its events; today's for those from before versions were kept."""
    present = (await standing(tenant, learner, state)).policy
    people = (await state.merges.group(tenant, learner)).everyone
    history = [entry for one in people for entry in await state.consents.history(tenant, one)]
    history.sort(key=lambda entry: entry.id)
    wanted = {entry.policy_version for entry in history}
    known = await state.policies.versions(tenant, wanted)
    return history, {version: known.get(version, present) for version in wanted}

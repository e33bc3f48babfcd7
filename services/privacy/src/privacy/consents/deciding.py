"""A decision, from the command to the durable change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from events.payloads import Basis, ConsentStatus, Policy
from service_kit.audit import Action, AuditEntry, Who
from service_kit.consent import Standing
from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict, Forbidden, NotFound

from privacy.consents.decisions import KNOWN_STATUSES, Dossier, Outcome, allowed_again, decide, rule, together
from privacy.consents.repository import HistoryEntry
from privacy.packs import pack_named
from privacy.packs.dates import age_on
from privacy.policies.deciding import policy_of
from privacy.state import State

FORGOTTEN: Final = "This learner has been forgotten"
FOR_ANOTHER: Final = frozenset({"guardian", "dpo"})
_NEITHER: Final[Mapping[Basis, str]] = {
    Basis.contract: "a contract (GDPR 6(1)(b))",
    Basis.legal_obligation: "a legal obligation (GDPR 6(1)(c))",
}


@dataclass(frozen=True, slots=True)
class Command:
    """`status` None takes the decision back, so that the policy's default holds again. `by` is the caller's role.

    `notice`: the version shown, where the caller names one; else the policy's present one.
    """

    tenant: str
    learner: str
    purpose: str
    status: ConsentStatus | None
    by: str
    who: Who
    details: Mapping[str, Any] = field(default_factory=dict)
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What holds now. `entry`: the event that was added to the history; None where nothing changed."""

    policy: Policy
    dossier: Dossier
    entry: str | None = None


async def standing(tenant: str, learner: str, state: State, session: Session | None = None) -> Decided:
    """The tenant's policy and what is known of the learner; of merged ones the strictest. Raises `NotFound`."""
    policy = await policy_of(tenant, state, session)
    group = await state.merges.group(tenant, learner, session)
    dossier = together(policy, [await state.consents.find(tenant, one, session) for one in group.everyone])
    if dossier.erased or (dossier.version == 0 and await state.forgotten.among(tenant, [learner], session)):
        raise NotFound(FORGOTTEN)
    return Decided(policy, dossier)


async def carry_out(command: Command, state: State) -> Decided:
    """Decide, keep the change in the history and flag it, in one transaction. The same decision again changes nothing.

    Who is one person decides for all their learners: so a merge's stricter consent ends.
    Raises `NotFound` for a purpose that the policy lacks, `Conflict` where the purpose's basis knows no such status or
    the notice is not the one that holds, `Forbidden` where the learner is too young to consent alone.
    """

    async def change(session: Session) -> Decided:
        held = await standing(command.tenant, command.learner, state, session)
        policy = held.policy
        _check(policy, command)
        _check_takes_back(command, held.dossier)
        await _check_age(policy, command, state, session)
        now, version = state.clock(), policy.purposes[command.purpose].notice.version

        def decided(before: Dossier) -> Dossier:
            return decide(before, command.purpose, command.status, now, version)

        def entry(learner: str, after: Dossier) -> HistoryEntry:
            return _entry(replace(command, learner=learner), policy, after, now)

        return await _for_all(command, held, decided, entry, state, session)

    return await in_transaction(state.client, change)


@dataclass(frozen=True, slots=True)
class Ruling:
    """An officer's decision on an objection."""

    tenant: str
    learner: str
    purpose: str
    outcome: Outcome
    grounds: str
    who: Who


async def rule_on(ruling: Ruling, state: State) -> Decided:
    """Uphold or override an objection, with grounds. Raises `NotFound`, `Conflict` where none stands."""

    async def change(session: Session) -> Decided:
        held = await standing(ruling.tenant, ruling.learner, state, session)
        await _check_no_request(ruling, held.policy, state, session)
        now = state.clock()
        if (
            rule(held.dossier, ruling.purpose, ruling.outcome, now) is None
            or ruling.purpose not in held.policy.purposes
        ):
            raise Conflict("No objection of this learner to this purpose waits for a decision")

        def ruled(before: Dossier) -> Dossier:
            return rule(before, ruling.purpose, ruling.outcome, now) or before

        def entry(learner: str, after: Dossier) -> HistoryEntry:
            return _ruled(replace(ruling, learner=learner), held.policy, after, now)

        return await _for_all(ruling, held, ruled, entry, state, session)

    return await in_transaction(state.client, change)


async def _check_no_request(ruling: Ruling, policy: Policy, state: State, session: Session) -> None:
    """An objection that came as a request ends with its request, which is signed. Raises `Conflict`."""
    for one in (await state.merges.group(ruling.tenant, ruling.learner, session)).everyone:
        for request in await state.requests.unfinished(ruling.tenant, one, session):
            if request.type == "objection" and ruling.purpose in (request.details.get("purposes") or policy.purposes):
                raise Conflict(f"The objection is request {request.id}: approve or refuse that")


async def _for_all(
    said: Command | Ruling,
    held: Decided,
    change: Callable[[Dossier], Dossier],
    entry_of: Callable[[str, Dossier], HistoryEntry],
    state: State,
    session: Session,
) -> Decided:
    """The dossiers of all the person's learners, the events in the history, and one entry in the audit."""
    tenant, policy = said.tenant, held.policy
    people = (await state.merges.group(tenant, said.learner, session)).everyone
    before = {one: await state.consents.find(tenant, one, session) for one in people}
    after = {one: change(dossier) for one, dossier in before.items()}
    whole = together(policy, list(after.values()))
    resumed = [p for p in policy.purposes if _allows(policy, whole, p) and not _allows(policy, held.dossier, p)]
    entries: dict[str, str] = {}
    for one, changed in after.items():
        if changed is not before[one]:
            entry = entry_of(one, changed)
            await state.consents.record(tenant, entry, session)
            entries[one] = entry.id
        after[one] = allowed_again(changed, resumed)
        if after[one] is not before[one]:
            await state.consents.put(tenant, one, after[one], state.clock(), session)
    if not entries:
        return held
    what = f"{'consents' if isinstance(said, Command) else 'objections'}/{said.purpose}"
    noted = AuditEntry(tenant, said.who, Action.changed, what, (people[0],), said.purpose)
    await state.audit.record(noted, session)
    return Decided(policy, together(policy, list(after.values())), entries.get(said.learner, min(entries.values())))


def _allows(policy: Policy, dossier: Dossier, purpose: str) -> bool:
    return Standing(policy, dossier.message()).allows(purpose)


def _check(policy: Policy, command: Command) -> None:
    terms = policy.purposes.get(command.purpose)
    if terms is None:
        raise NotFound(f"The policy knows no such purpose; it knows {', '.join(policy.purposes)}")
    known = sorted(KNOWN_STATUSES[terms.basis])
    if not known and command.status is not None:
        basis = _NEITHER[terms.basis]
        detail = f"The purpose rests on {basis}: no consent that could be withdrawn (7(3)), no right to object (21(1))"
        raise Conflict(detail, errors=[{"pointer": "/status", "detail": detail}])
    if command.status is not None and command.status not in known:
        detail = f"The purpose rests on {terms.basis.value}, which knows {', '.join(known)}, not {command.status.value}"
        raise Conflict(detail, errors=[{"pointer": "/status", "detail": detail}])
    if command.status is ConsentStatus.granted and command.notice not in (None, terms.notice.version):
        detail = f"The notice that holds is version {terms.notice.version}: show that one, and ask again (GDPR 7(1))"
        raise Conflict(detail, errors=[{"pointer": "/notice_version", "detail": detail}])


def _check_takes_back(command: Command, dossier: Dossier) -> None:
    """An officer ends an objection with grounds alone (GDPR 21(1)); to take it back is the learner's."""
    objected = dossier.decisions.get(command.purpose)
    if (
        command.by == "dpo"
        and command.status is None
        and objected is not None
        and objected.status is ConsentStatus.objected
    ):
        raise Conflict("The learner objects: decide on the objection, with grounds (GDPR 21(1))")


async def _check_age(policy: Policy, command: Command, state: State, session: Session) -> None:
    """Whether the learner's own word is enough, where a guardian's link says how old the learner is."""
    rule_of_age = pack_named(policy.pack).child_consent
    if command.status is not ConsentStatus.granted or command.by in FOR_ANOTHER or rule_of_age is None:
        return
    now = state.clock()
    people = (await state.merges.group(command.tenant, command.learner, session)).everyone
    born = await state.guardians.born(command.tenant, people, session)
    giver = pack_named(policy.pack).consent_giver(
        age_on(born, now.date()) if born else None,
        policy.consent_age,
        offered_to_child=policy.purposes[command.purpose].offered_to_child,
    )
    if giver != "learner":
        raise Forbidden(f"{rule_of_age.clause.source}: {rule_of_age.clause.says}")


def _ruled(ruling: Ruling, policy: Policy, after: Dossier, at: datetime) -> HistoryEntry:
    terms = policy.purposes[ruling.purpose]
    return HistoryEntry(
        learner=ruling.learner,
        purpose=ruling.purpose,
        status=None,
        basis=terms.basis,
        policy_version=policy.version,
        version=after.version,
        at=at,
        by="dpo",
        details={"grounds": ruling.grounds},
        event="ruling",
        notice=terms.notice,
        outcome=ruling.outcome,
    )


def _entry(command: Command, policy: Policy, after: Dossier, at: datetime) -> HistoryEntry:
    terms = policy.purposes[command.purpose]
    return HistoryEntry(
        learner=command.learner,
        purpose=command.purpose,
        status=command.status,
        basis=terms.basis,
        policy_version=policy.version,
        version=after.version,
        at=at,
        by=command.by,
        details=command.details,
        notice=terms.notice,
    )

"""A decision, from the command to the durable change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.payloads import ConsentStatus, Policy
from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict, NotFound

from privacy.consents.decisions import KNOWN_STATUSES, Dossier, decide
from privacy.consents.repository import HistoryEntry
from privacy.policies.deciding import policy_of
from privacy.state import State

FORGOTTEN = "This learner has been forgotten"


@dataclass(frozen=True, slots=True)
class Command:
    """`status` None takes the decision back, so that the policy's default holds again. `by` is the caller's role."""

    tenant: str
    learner: str
    purpose: str
    status: ConsentStatus | None
    by: str
    details: Mapping[str, Any] = field(default_factory=dict)


async def standing(tenant: str, learner: str, state: State, session: Session | None = None) -> tuple[Policy, Dossier]:
    """The tenant's policy and what is known of the learner. Raises `NotFound`."""
    policy = await policy_of(tenant, state, session)
    dossier = await state.consents.find(tenant, learner, session)
    if dossier.erased:
        raise NotFound(FORGOTTEN)
    return policy, dossier


async def carry_out(command: Command, state: State) -> tuple[Policy, Dossier]:
    """Decide, keep the change in the history and flag it, in one transaction. The same decision again changes nothing.

    Raises `NotFound` for a purpose that the policy lacks, `Conflict` where the purpose's basis knows no such status.
    """

    async def change(session: Session) -> tuple[Policy, Dossier]:
        policy, before = await standing(command.tenant, command.learner, state, session)
        _check(policy, command)
        now = state.clock()
        after = decide(before, command.purpose, command.status, now)
        if after is not before:
            await state.consents.put(command.tenant, command.learner, after, now, session)
            await state.consents.record(command.tenant, _entry(command, policy, after, now), session)
        return policy, after

    return await in_transaction(state.client, change)


def _check(policy: Policy, command: Command) -> None:
    rule = policy.purposes.get(command.purpose)
    if rule is None:
        raise NotFound(f"The policy knows no such purpose; it knows {', '.join(policy.purposes)}")
    known = sorted(KNOWN_STATUSES[rule.basis])
    if command.status is not None and command.status not in known:
        words = ", ".join(known) or "no decision of the learner"
        raise Conflict(f"The purpose rests on {rule.basis.value}, which knows {words}, not {command.status.value}")


def _entry(command: Command, policy: Policy, after: Dossier, at: datetime) -> HistoryEntry:
    return HistoryEntry(
        learner=command.learner,
        purpose=command.purpose,
        status=command.status,
        basis=policy.purposes[command.purpose].basis,
        policy_version=policy.version,
        version=after.version,
        at=at,
        by=command.by,
        details=command.details,
    )

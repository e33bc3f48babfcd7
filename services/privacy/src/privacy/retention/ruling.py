"""Rules made, changed and ended; each version is kept."""

from dataclasses import replace
from datetime import datetime

from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict, NotFound
from uuid_utils.compat import uuid7

from privacy.policies.deciding import policy_of
from privacy.retention.rules import Rule
from privacy.retention.schemas import RuleBody
from privacy.state import State

Planned = tuple[Rule, datetime | None]
"""A rule, and when it runs next."""


async def found_rule(tenant: str, rule_id: str, state: State, session: Session | None = None) -> Planned:
    """Raises `NotFound`."""
    found = await state.rules.find(tenant, rule_id, session)
    if found is None:
        raise NotFound("There is no such retention rule")
    return found


async def make_rule(tenant: str, body: RuleBody, who: Who, state: State) -> Planned:
    """Raises `NotFound` where the tenant has no policy."""

    async def make(session: Session) -> Planned:
        await policy_of(tenant, state, session)
        now = state.clock()
        return await _put(tenant, body.rule(str(uuid7()), 1, now), who, "made", state, session)

    return await in_transaction(state.client, make)


async def change_rule(
    tenant: str, rule_id: str, body: RuleBody, version: int | None, who: Who, state: State
) -> Planned:
    """The same again changes nothing. Raises `NotFound`, `Conflict` where `version` is not the one that holds."""

    async def change(session: Session) -> Planned:
        held, next_run_at = await found_rule(tenant, rule_id, state, session)
        if version is not None and version != held.version:
            raise Conflict(f"The rule was changed meanwhile: version {held.version} holds")
        changed = body.rule(held.id, held.version + 1, state.clock())
        if replace(changed, version=held.version, changed_at=held.changed_at) == held:
            return held, next_run_at
        return await _put(tenant, changed, who, "changed", state, session)

    return await in_transaction(state.client, change)


async def end_rule(tenant: str, rule_id: str, who: Who, state: State) -> None:
    """From now on it does not run. A run that is under way goes on. Raises `NotFound`."""

    async def end(session: Session) -> None:
        held, _ = await found_rule(tenant, rule_id, state, session)
        now = state.clock()
        ended = replace(held, version=held.version + 1, active=False, changed_at=now, ended_at=now)
        await _put(tenant, ended, who, "ended", state, session)

    await in_transaction(state.client, end)


async def _put(tenant: str, rule: Rule, who: Who, what: str, state: State, session: Session) -> Planned:
    now = state.clock()
    next_run_at = now if rule.active else None
    await state.rules.put(tenant, rule, next_run_at, now, session)
    said = f"retention-rules/{rule.action.value}/{what}"
    await state.audit.record(AuditEntry(tenant, who, Action.changed, said), session)
    return rule, next_run_at

"""What is held of a learner, why, since when, who saw it, what can be changed: put together from what privacy keeps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from events.payloads import Basis, ConsentStatus, Policy, Unknown
from service_kit.audit import SELF

from privacy.audit.repository import Link
from privacy.audit.schemas import entry_of
from privacy.consents.deciding import standing
from privacy.consents.decisions import Dossier
from privacy.consents.endpoints import state_of
from privacy.my import words
from privacy.my.languages import Language
from privacy.my.schemas import Can, GuardianOfMine, PrivacyOfLearner, PurposeOfMine, RecipientTold, RequestOfMine, Seen
from privacy.requests.progress import COLLECTED, DataRequest, Kind, Status
from privacy.retention.rules import Rule, retention_of
from privacy.state import State

MOST_SEEN: Final = 50
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OBJECTED_TO: Final = (Basis.public_task, Basis.legitimate_interest)


async def picture(tenant: str, learner: str, state: State, language: Language) -> PrivacyOfLearner:
    """Raises `NotFound` where the learner is forgotten."""
    held = await standing(tenant, learner, state)
    policy, dossier, now = held.policy, held.dossier, state.clock()
    people = (await state.merges.group(tenant, learner)).everyone
    links = [link for one in people for link in await state.chain.about(tenant, one, None, MOST_SEEN)]
    links = sorted({link.seq: link for link in links}.values(), key=lambda link: link.seq, reverse=True)[:MOST_SEEN]
    asked = sorted(
        [made for one in people for made in await state.requests.of_learner(tenant, one)], key=lambda made: made.id
    )
    guardians = [g for one in people for g in await state.guardians.of_learner(tenant, one) if g.active(now)]
    since = rules_since(await state.policies.history(tenant, policy.version))
    controller = policy.controller
    rules = await state.rules.versions(tenant)
    return PrivacyOfLearner(
        learner_id=UUID(learner),
        controller=controller.name if controller else None,
        contact=(controller.officer or controller.contact) if controller else None,
        restricted=dossier.restricted,
        purposes=[_purpose(name, policy, dossier, since.get(name), language, rules) for name in policy.purposes],
        seen=[_seen(link, language) for link in links],
        requests=[await _request(tenant, one, state) for one in reversed(asked)],
        guardians=[GuardianOfMine(since=one.made_at, until=one.until) for one in guardians],
        may_ask_for=list(KINDS),
    )


def rules_since(history: Sequence[tuple[Policy, datetime]]) -> dict[str, datetime]:
    """Since when each purpose has rested on what it rests on now, of the versions of a policy, the oldest first."""
    since: dict[str, datetime] = {}
    before: dict[str, tuple[Basis, Unknown]] = {}
    for policy, at in history:
        terms = {name: (rule.basis, rule.unknown) for name, rule in policy.purposes.items()}
        since = {name: since[name] if before.get(name) == now else at for name, now in terms.items()}
        before = terms
    return since


def _purpose(
    name: str,
    policy: Policy,
    dossier: Dossier,
    rule_since: datetime | None,
    language: Language,
    rules: Sequence[Rule],
) -> PurposeOfMine:
    rule, decision = policy.purposes[name], dossier.decisions.get(name)
    told, now = words.purpose(name, rule, language), state_of(policy, dossier, name)
    return PurposeOfMine(
        purpose=name,
        title=told.title,
        text=told.text,
        held=told.held,
        why=language.bases[rule.basis],
        since=decision.since if decision else None,
        rule_since=rule_since,
        retention=retention_of(rules, name, rule.retention),
        recipients=[RecipientTold(name=one.name, third_party=one.third_party) for one in rule.recipients],
        can=can(rule.basis, decision.status if decision else None),
        **now.model_dump(),
    )


def can(basis: Basis, status: ConsentStatus | None) -> list[Can]:
    """What the learner may do about a purpose of this basis, having decided so."""
    if basis is Basis.consent:
        return ["withdraw"] if status is ConsentStatus.granted else ["grant"]
    if basis in OBJECTED_TO:
        return ["take_back"] if status is ConsentStatus.objected else ["object"]
    return []


def _seen(link: Link, language: Language) -> Seen:
    entry = entry_of(link)
    return Seen(
        at=entry.at,
        sentence=words.sentence(entry.roles, entry.action, entry.what, language, is_self=entry.by == SELF),
        roles=entry.roles,
        action=entry.action,
        what=entry.what,
        ground=entry.ground,
        service=entry.service,
    )


async def _request(tenant: str, request: DataRequest, state: State) -> RequestOfMine:
    is_made = request.type in COLLECTED and request.status is Status.completed
    return RequestOfMine(
        id=request.id,
        type=request.type,
        status=request.status,
        requested_at=request.requested_at,
        due_at=request.due_at,
        reason=request.reason,
        extension_reason=request.extension_reason,
        identity=request.identity,
        fetch=is_made and await state.archives.find(tenant, request.id, state.clock()) is not None,
    )

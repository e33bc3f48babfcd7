"""What the record of processing activities says (GDPR 30(1)), purpose by purpose. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from events.payloads import Controller, Policy, PurposePolicy

from privacy.consents.records import NOT_STATED, PERSONAL_DATA
from privacy.packs import pack_named
from privacy.processing.schemas import Activity, ControllerOut, Held, RecipientOut, Register, TimeLimit
from privacy.retention.rules import Rule, limits, retention_of

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "record": "Keep what learners do in learning platforms, as those platforms report it.",
    "profile": "Derive from it what a learner masters, what interests the learner, and how fast it goes.",
    "recommend": "Propose to the learner what to do next, and say why.",
    "teach": "Show teachers, by name, how their own pupils are doing.",
    "insights": "Show schools and authorities figures about groups; small groups are hidden.",
    "research": "Use records under pseudonyms for research.",
}
SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("ingest",),
    "profile": ("learner_profile", "recommendation", "insights"),
    "recommend": ("recommendation",),
    "teach": ("insights",),
    "insights": ("insights",),
}
MEASURES: Final = (
    "what describes a learner is sealed with a data key of that learner; the key is destroyed at an erasure",
    "identifiers stay in one service; all others know a random learner id alone",
    "each service has its own database and its own credentials",
    "roles from signed tokens; one tenant cannot reach another's data",
    "consent and objection are enforced where data are used, and each service acknowledges a change",
    "an audit of who saw, changed, exported or erased what, chained and signed",
    "logs, metrics, errors and dead letters hold no personal data",
)


def register(tenant: str, policy: Policy, rules: Sequence[Rule] = ()) -> Register:
    """The whole record; what the policy does not state is called so, and listed in `missing`.

    `rules`: the tenant's retention rules, from which time limits come (30(1)(f)).
    """
    activities = [_activity(name, terms, policy, rules) for name, terms in policy.purposes.items()]
    return Register(
        tenant=tenant,
        policy_version=policy.version,
        pack=policy.pack,
        controller=_controller(tenant, policy.controller),
        jurisdiction=policy.jurisdiction or NOT_STATED,
        storage_location=policy.storage_location or NOT_STATED,
        data_subjects=["learners", "teachers and guardians, where statements or rosters name them"],
        activities=activities,
        security_measures=list(MEASURES),
        missing=_missing(policy, rules),
    )


def _controller(tenant: str, known: Controller | None) -> ControllerOut:
    if known is None:
        return ControllerOut(name=tenant, contact=NOT_STATED, address=NOT_STATED, officer=NOT_STATED, kind=NOT_STATED)
    return ControllerOut(
        name=known.name,
        contact=known.contact or NOT_STATED,
        address=known.address or NOT_STATED,
        officer=known.officer or NOT_STATED,
        kind=known.kind,
    )


def _activity(name: str, terms: PurposePolicy, policy: Policy, rules: Sequence[Rule]) -> Activity:
    recipients = [
        RecipientOut(name=one.name, contact=one.contact or NOT_STATED, country=one.country, third_party=one.third_party)
        for one in terms.recipients
    ]
    countries = {one.country for one in terms.recipients if one.country}
    disclosures = pack_named(policy.pack).disclosures
    return Activity(
        purpose=name,
        description=terms.description or DESCRIPTIONS.get(name, NOT_STATED),
        basis=terms.basis,
        where_nothing_is_known=terms.unknown,
        notice=Held(version=terms.notice.version, language=terms.notice.language, url=terms.notice.url),
        personal_data=list(terms.personal_data or PERSONAL_DATA.get(name, (NOT_STATED,))),
        recipients=recipients,
        countries=sorted(countries),
        retention=retention_of(rules, name, terms.retention) or NOT_STATED,
        time_limits=[_limit(rule) for rule in limits(rules, name)],
        services=list(SERVICES.get(name, ())),
        disclosures=str(disclosures) if disclosures and recipients else None,
    )


def _limit(rule: Rule) -> TimeLimit:
    narrowed = {"verb": rule.verbs, "activity type": rule.activity_types, "tag": rule.tags}
    what = [f"{name} {', '.join(values)}" for name, values in narrowed.items() if values]
    return TimeLimit(
        rule=UUID(rule.id),
        name=rule.name,
        action=rule.action,
        after=rule.after,
        what="; ".join(what) or ("courses" if rule.after_course_end else "everything"),
        services=list(rule.services),
        reason=rule.reason,
    )


def _missing(policy: Policy, rules: Sequence[Rule]) -> list[str]:
    """Pointers into the policy at what article 30(1) wants and the policy does not say."""
    controller = policy.controller
    found = {
        "/controller": controller is None,
        "/controller/contact": controller is not None and controller.contact is None,
        "/controller/officer": controller is not None and controller.officer is None,
        "/storage_location": policy.storage_location is None,
    }
    missing = [place for place, lacks in found.items() if lacks]
    for name, terms in policy.purposes.items():
        if retention_of(rules, name, terms.retention) is None:
            missing.append(f"/purposes/{name}/retention")
        if not terms.description and name not in DESCRIPTIONS:
            missing.append(f"/purposes/{name}/description")
        if not terms.personal_data and name not in PERSONAL_DATA:
            missing.append(f"/purposes/{name}/personal_data")
    return missing

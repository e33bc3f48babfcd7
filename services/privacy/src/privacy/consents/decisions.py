"""What a learner may decide, and what follows from it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from events.payloads import Basis, ConsentState, ConsentStatus, Decision, Policy
from service_kit.consent import Standing

Enforcement = Literal["pending", "effective"]
Outcome = Literal["upheld", "overridden"]

ENFORCERS: Final = ("ingest", "learner_profile", "recommendation", "insights")

# Consent is given and withdrawn (GDPR 7(3)); one objects (21(1)) to what rests on 6(1)(e) or (f).
KNOWN_STATUSES: Final[Mapping[Basis, frozenset[ConsentStatus]]] = {
    Basis.consent: frozenset({ConsentStatus.granted, ConsentStatus.withdrawn}),
    Basis.public_task: frozenset({ConsentStatus.objected}),
    Basis.legitimate_interest: frozenset({ConsentStatus.objected}),
    Basis.contract: frozenset(),
    Basis.legal_obligation: frozenset(),
}

REBUILT: Final = ("profile", "record")  # what a withdrawal removes, or leaves lying, is made from what is kept


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection (GDPR 21(1)): processing stands still until an officer decides, and for good if it is upheld."""

    since: datetime
    outcome: Outcome | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Dossier:
    """What is known of one learner. `changed` gives the version of the last change of each purpose,
    `acknowledged` the version up to which each service says it enforces. `resumed` are purposes allowed again whose
    change is not effective yet, `rebuild` how often each was since. `holds`: why no retention rule may touch the
    learner (`retention.holds`).
    """

    version: int = 0
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    erased: bool = False
    restricted: bool = False
    objections: Mapping[str, Objection] = field(default_factory=dict)
    resumed: frozenset[str] = frozenset()
    rebuild: Mapping[str, int] = field(default_factory=dict)
    holds: frozenset[str] = frozenset()

    def enforcement(self, purpose: str) -> Enforcement:
        """`effective` once all who enforce have acknowledged the purpose's last change."""
        change = self.changed.get(purpose, 0)
        return "effective" if all(self.acknowledged.get(s, 0) >= change for s in ENFORCERS) else "pending"

    def message(self) -> ConsentState:
        return ConsentState(
            version=max(self.version, 1),
            purposes=dict(self.decisions),
            erased=self.erased,
            restricted=self.restricted,
            rebuild=dict(self.rebuild),
            held=bool(self.holds),
        )


def decide(
    dossier: Dossier, purpose: str, status: ConsentStatus | None, at: datetime, notice: str | None = None
) -> Dossier:
    """The dossier after a decision (None: taken back, the default holds again); the same if nothing changes.

    `notice` is the version of the notice that consent was given under: to consent to a newer one is a new decision.
    """
    held = dossier.decisions.get(purpose)
    renewed = status is ConsentStatus.granted and held is not None and held.notice != notice
    if (held.status if held else None) is status and not renewed:
        return dossier
    after = _with(dossier, purpose, None if status is None else Decision(status=status, since=at, notice=notice))
    objections = {name: one for name, one in dossier.objections.items() if name != purpose}
    if status is ConsentStatus.objected:
        objections[purpose] = Objection(at)
    return replace(after, objections=objections)


def rule(dossier: Dossier, purpose: str, outcome: Outcome, at: datetime) -> Dossier | None:
    """After an officer's decision on the objection; None where none stands. Overridden, the default holds again."""
    objection = dossier.objections.get(purpose)
    held = dossier.decisions.get(purpose)
    if held is None or held.status is not ConsentStatus.objected:
        return None
    ruled = Objection(objection.since if objection else held.since, outcome, at)
    after = _with(dossier, purpose, None) if outcome == "overridden" else dossier
    return replace(after, objections={**dossier.objections, purpose: ruled})


def allowed_again(dossier: Dossier, purposes: Iterable[str]) -> Dossier:
    """With a note of what may be used again: once that is effective, it is built anew."""
    found = dossier.resumed.union(purpose for purpose in purposes if purpose in REBUILT)
    return dossier if found == dossier.resumed else replace(dossier, resumed=found)


def settled(dossier: Dossier) -> Dossier:
    """With the word to build anew what everybody allows again; the same if there is nothing of that kind."""
    due = {purpose for purpose in dossier.resumed if dossier.enforcement(purpose) == "effective"}
    if not due:
        return dossier
    rebuild = {**dossier.rebuild, **{purpose: dossier.rebuild.get(purpose, 0) + 1 for purpose in due}}
    return replace(dossier, version=dossier.version + 1, resumed=dossier.resumed - due, rebuild=rebuild)


def _with(dossier: Dossier, purpose: str, decision: Decision | None) -> Dossier:
    decisions = {name: one for name, one in dossier.decisions.items() if name != purpose}
    if decision is not None:
        decisions[purpose] = decision
    version = dossier.version + 1
    changed = {**dossier.changed, purpose: version}
    return replace(dossier, version=version, decisions=decisions, changed=changed, resumed=dossier.resumed - {purpose})


def together(policy: Policy, dossiers: Sequence[Dossier]) -> Dossier:
    """What holds for the learners of one person: for each purpose the strictest of their dossiers.

    It is pending while any of them is. `changed` and `acknowledged` say no more than that.
    """
    if len(dossiers) == 1:
        return dossiers[0]
    purposes = dict.fromkeys([*policy.purposes, *(name for one in dossiers for name in one.decisions)])
    strictest = {name: min(dossiers, key=lambda one: _leniency(policy, one, name)) for name in purposes}
    pending = {name for name in purposes if any(one.enforcement(name) == "pending" for one in dossiers)}
    return Dossier(
        version=dossiers[0].version,
        decisions={name: one.decisions[name] for name, one in strictest.items() if name in one.decisions},
        changed=dict.fromkeys(pending, 1),
        erased=any(one.erased for one in dossiers),
        restricted=any(one.restricted for one in dossiers),
        objections={name: one.objections[name] for name, one in strictest.items() if name in one.objections},
    )


def _leniency(policy: Policy, dossier: Dossier, purpose: str) -> tuple[bool, bool, bool]:
    """What stops it comes before what allows it, a decision before the default, and of those a withdrawal first."""
    decision = dossier.decisions.get(purpose)
    withdrawn = decision is not None and decision.status is ConsentStatus.withdrawn
    return Standing(policy, dossier.message()).allows(purpose), not withdrawn, decision is None


def restrict(dossier: Dossier, restricted: bool) -> Dossier:
    """Kept, and nothing else done with it (GDPR 18(2)), or no longer so; the same if nothing changes."""
    if dossier.restricted == restricted:
        return dossier
    return replace(dossier, version=dossier.version + 1, restricted=restricted)


def hold(dossier: Dossier, mark: str) -> Dossier:
    """No retention rule touches the learner, for one reason more; a new version, so that all acknowledge it."""
    return replace(dossier, version=dossier.version + 1, holds=dossier.holds | {mark})


def let_go(dossier: Dossier, mark: str) -> Dossier:
    """Without that reason; the same if it was none."""
    if mark not in dossier.holds:
        return dossier
    return replace(dossier, version=dossier.version + 1, holds=dossier.holds - {mark})


def forget(dossier: Dossier) -> Dossier:
    """What remains of an erased learner: that it is erased."""
    return Dossier(version=dossier.version + 1, erased=True)

"""What a learner may decide, and what follows from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from events.payloads import Basis, ConsentState, ConsentStatus, Decision

Enforcement = Literal["pending", "effective"]

ENFORCERS: Final = ("ingest", "learner_profile", "recommendation", "insights")

# Consent is given and withdrawn (GDPR 7(3)); one objects (21(1)) to what rests on 6(1)(e) or (f).
KNOWN_STATUSES: Final[Mapping[Basis, frozenset[ConsentStatus]]] = {
    Basis.consent: frozenset({ConsentStatus.granted, ConsentStatus.withdrawn}),
    Basis.public_task: frozenset({ConsentStatus.objected}),
    Basis.legitimate_interest: frozenset({ConsentStatus.objected}),
    Basis.contract: frozenset(),
    Basis.legal_obligation: frozenset(),
}


@dataclass(frozen=True)
class Dossier:
    """What is known of one learner. `changed` gives the version of the last change of each purpose,
    `acknowledged` the version up to which each service says it enforces.
    """

    version: int = 0
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    erased: bool = False
    restricted: bool = False

    def enforcement(self, purpose: str) -> Enforcement:
        """`effective` once all who enforce have acknowledged the purpose's last change."""
        change = self.changed.get(purpose, 0)
        return "effective" if all(self.acknowledged.get(s, 0) >= change for s in ENFORCERS) else "pending"

    def message(self) -> ConsentState:
        purposes = dict(self.decisions)
        return ConsentState(
            version=self.version, purposes=purposes, erased=self.erased, restricted=self.restricted
        )


def decide(dossier: Dossier, purpose: str, status: ConsentStatus | None, at: datetime) -> Dossier:
    """The dossier after a decision (None: taken back, the default holds again); the same if nothing changes."""
    held = dossier.decisions.get(purpose)
    if (held.status if held else None) is status:
        return dossier
    decisions = {name: decision for name, decision in dossier.decisions.items() if name != purpose}
    if status is not None:
        decisions[purpose] = Decision(status=status, since=at)
    version = dossier.version + 1
    return replace(dossier, version=version, decisions=decisions, changed={**dossier.changed, purpose: version})


def restrict(dossier: Dossier, restricted: bool) -> Dossier:
    """Kept, and nothing else done with it (GDPR 18(2)), or no longer so; the same if nothing changes."""
    if dossier.restricted == restricted:
        return dossier
    return replace(dossier, version=dossier.version + 1, restricted=restricted)


def forget(dossier: Dossier) -> Dossier:
    """What remains of an erased learner: that it is erased."""
    return Dossier(version=dossier.version + 1, erased=True)

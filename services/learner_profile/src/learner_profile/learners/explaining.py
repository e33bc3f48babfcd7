"""Why a number is what it is: its shares, and the evidence behind it. Plain functions.

The shares are those of the model's own sum, taken from the state that readers see: the probability of a right response
is followed from what holds for learners in general to the time asked for, and each change is put down to what made it.
The changes add up to the number exactly: the explanation is the computation itself, not a second model of it. What
each piece of evidence did is found by folding once more, step by step.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

from learner_model import CompetencyState, CompetencyView, Evidence, EvidenceKind, LearnerState, Outcome, view
from learner_model.belief import logistic
from learner_model.competency import belief_at, probability
from learner_model.folder import Folder
from learner_model.frameworks import Frameworks
from learner_model.outcomes import outcome
from learner_model.reading import state_of
from msgspec import structs

from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import Mapped, evidence_of
from learner_profile.evidence.repository import Row
from learner_profile.learners.profiles import Base, behind, key_of

_NO_FRAMEWORKS: Final = Frameworks()


class Share(StrEnum):
    """What the number is made of, in the order in which it is told."""

    START = "start"
    GENERAL = "general"
    LATELY = "lately"
    OWN = "own"
    TIME = "time"
    PARTS = "parts"
    ABOVE = "above"


_OWN: Final = (Share.START, Share.GENERAL, Share.LATELY, Share.OWN, Share.TIME)


class Effect(StrEnum):
    """What kind of evidence moved the number."""

    RIGHT = "right"
    PARTLY = "partly"
    WRONG = "wrong"
    GROUP = "group"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of evidence on the competency, and the probability just before and just after it."""

    row: Row
    effect: Effect
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(slots=True)
class Explanation:
    """`shares` add up to the probability in `now`, which is None where nothing is known of the competency. `aside`:
    rows on it that do not count by themselves.
    """

    as_of: datetime
    shares: dict[Share, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)
    now: CompetencyView | None = None

    def most(self, limit: int) -> list[Step]:
        """The steps that moved it most; of equal ones the later first."""
        return sorted(self.steps, key=lambda step: (abs(step.change), step.row.reading.at), reverse=True)[:limit]

    def newest_aside(self, limit: int) -> list[Row]:
        return self.aside[::-1][:limit]


def explain(
    rows: Iterable[Row],
    catalog: Mapping[str, Mapped],
    competency: str,
    as_of: datetime,
    folder: Folder,
    base: Base | None = None,
    frameworks: Frameworks = _NO_FRAMEWORKS,
) -> Explanation:
    """How the rows, in the learner's order, make the competency's number at `as_of`.

    With a base the story begins where that ends: what made it is gone.
    """
    return _Walk(competency, as_of, folder, base, frameworks).through(evidence_of_rows(rows, catalog, base))


def shares_of(state: LearnerState, competency: CompetencyState, as_of: datetime) -> dict[Share, float]:
    """The probability as the sum of its shares."""
    base, level = competency.base, state.level
    logits = [base - level.own, base, base + level.lately, competency.mean, belief_at(competency, as_of).mean]
    told = [0.0, *(logistic(one) for one in logits)]
    return {share: after - before for share, (before, after) in zip(_OWN, pairwise(told), strict=True)}


class _Walk:
    """The fold on its way. `_waiting`: what was not folded yet, since it is about other competencies."""

    def __init__(
        self, competency: str, as_of: datetime, folder: Folder, base: Base | None, frameworks: Frameworks
    ) -> None:
        self._competency = competency
        self._frameworks = frameworks
        self._folder = folder
        self._folded = base.folded if base else None
        self._waiting: list[Evidence] = []
        self._found = Explanation(as_of)

    def through(self, evidence: Iterable[tuple[Row, Evidence]]) -> Explanation:
        for row, one in evidence:
            about = any(name == self._competency for name, _ in one.competencies)
            if about and one.kind != EvidenceKind.SUMMARY:
                self._step(row, one)
                continue
            self._waiting.append(one)
            if about:
                self._found.aside.append(row)
        state = self._caught_up()
        now = None if state is None else state.competencies.get(self._competency)
        if state is not None and now is not None:
            as_of = self._found.as_of
            self._found.shares = shares_of(state, now, as_of)
            only = replace(state, competencies={self._competency: now})
            self._found.now = view(only, as_of, self._frameworks).competencies[0]
        return self._found

    def _step(self, row: Row, evidence: Evidence) -> None:
        before = self._before(evidence)
        self._waiting.append(evidence)
        state = self._caught_up()
        if state is not None:
            after = probability(state.competencies[self._competency], evidence.at)
            self._found.steps.append(Step(row, _effect_of(row, evidence), before, after))

    def _before(self, evidence: Evidence) -> float:
        """Just before: of a competency that is new, as if the learner had only looked."""
        state = self._caught_up()
        known = None if state is None else state.competencies.get(self._competency)
        if known is None:
            looked = structs.replace(
                evidence,
                kind=EvidenceKind.EXPOSURE,
                correctness=None,
                completion=None,
                duration_seconds=None,
                watched=None,
            )
            known = state_of(self._folder.fold(self._folded, [looked])).competencies[self._competency]
        return probability(known, evidence.at)

    def _caught_up(self) -> LearnerState | None:
        if self._waiting:
            self._folded = self._folder.fold(self._folded, self._waiting)
            self._waiting = []
        return None if self._folded is None else state_of(self._folded)


def evidence_of_rows(
    rows: Iterable[Row], catalog: Mapping[str, Mapped], base: Base | None = None
) -> Iterator[tuple[Row, Evidence]]:
    """What of the rows is folded, in their order; with a base, those that are not part of it are given."""
    found = [(row, counted(row)) for row in rows if not row.reading.of_group]
    if base is not None:
        late = ((row, behind(base.place, one)) for row, one in found)
        found = sorted(late, key=lambda pair: key_of(pair[1]))
    for row, one in found:
        yield row, evidence_of(one, catalog)


def _effect_of(row: Row, evidence: Evidence) -> Effect:
    if evidence.kind != EvidenceKind.RESPONSE or evidence.correctness is None:
        return Effect.SEEN
    if row.reading.group_members is not None:
        return Effect.GROUP
    return {Outcome.SUCCEEDED: Effect.RIGHT, Outcome.FAILED: Effect.WRONG}.get(outcome(evidence), Effect.PARTLY)

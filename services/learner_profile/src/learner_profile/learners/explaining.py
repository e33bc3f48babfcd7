"""Why a number is what it is: the fold told step by step. Plain functions.

The probability of a right response is followed from the first piece of evidence on the competency to the time asked
for, and each change is put down to what made it. The changes add up to the number exactly: the explanation is the
computation itself, not a second model of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from learner_model import CompetencyView, Evidence, EvidenceKind, LearnerState, Outcome, empty, fold, view
from learner_model.outcomes import outcome
from learner_model.state import EPOCH

from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import Mapped, evidence_of
from learner_profile.evidence.repository import Row
from learner_profile.learners.profiles import Base, behind, key_of


class Share(StrEnum):
    """What can move the number."""

    START = "start"
    RIGHT = "right"
    PARTLY = "partly"
    WRONG = "wrong"
    GROUP = "group"
    SEEN = "seen"
    ELSEWHERE = "elsewhere"
    TIME = "time"
    PARTS = "parts"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of evidence on the competency, and the probability just before and just after it."""

    row: Row
    share: Share
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
    counts: dict[Share, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)
    now: CompetencyView | None = None

    def most(self, limit: int) -> list[Step]:
        """The steps that moved it most; of equal ones the later first."""
        return sorted(self.steps, key=lambda step: (abs(step.change), step.row.reading.at), reverse=True)[:limit]

    def newest_aside(self, limit: int) -> list[Row]:
        return self.aside[::-1][:limit]

    def add(self, share: Share, change: float) -> None:
        self.shares[share] = self.shares.get(share, 0.0) + change
        self.counts[share] = self.counts.get(share, 0) + 1


def explain(
    rows: Iterable[Row], catalog: Mapping[str, Mapped], competency: str, as_of: datetime, base: Base | None = None
) -> Explanation:
    """How the rows, in the learner's order, make the competency's number at `as_of`.

    With a base the story begins where that ends: what made it is gone.
    """
    return _Walk(competency, as_of, base).through(evidence_of_rows(rows, catalog, base))


class _Walk:
    """The fold on its way. `_level`: the probability after the last step, in the state that it left behind."""

    def __init__(self, competency: str, as_of: datetime, base: Base | None) -> None:
        self._competency = competency
        self._as_of = as_of
        self._state = (base.state if base else None) or empty()
        self._left = self._state
        self._level: float | None = None
        self._found = Explanation(as_of)
        if base is not None and competency in self._state.competencies:
            self._level = self._probability(self._state, EPOCH + timedelta(microseconds=base.place[0]))
            self._found.add(Share.START, self._level)

    def through(self, evidence: Iterable[tuple[Row, Evidence]]) -> Explanation:
        for row, one in evidence:
            about = any(name == self._competency for name, _ in one.competencies)
            if about and one.kind != EvidenceKind.SUMMARY:
                self._step(row, one)
                continue
            self._state = fold(self._state, one)
            if about:
                self._found.aside.append(row)
        if self._level is not None:
            self._until(self._level, self._as_of)
            self._found.now = self._view(self._state, self._as_of)
        return self._found

    def _step(self, row: Row, evidence: Evidence) -> None:
        before = self._start(evidence) if self._level is None else self._until(self._level, evidence.at)
        self._state = fold(self._state, evidence)
        self._left = self._state
        self._level = self._probability(self._state, evidence.at)
        step = Step(row, _share_of(row, evidence), before, self._level)
        self._found.steps.append(step)
        self._found.add(step.share, step.change)

    def _start(self, evidence: Evidence) -> float:
        """Where a competency that is new begins: as if the learner had only looked."""
        looked = replace(evidence, kind=EvidenceKind.EXPOSURE, correctness=None, completion=None, duration_seconds=None)
        start = self._probability(fold(self._state, looked), evidence.at)
        self._found.add(Share.START, start)
        return start

    def _until(self, level: float, at: datetime) -> float:
        """The probability at a later time; what forgetting and other evidence have changed since the last step."""
        rested = self._probability(self._left, at)
        now = self._probability(self._state, at)
        for share, change in ((Share.TIME, rested - level), (Share.ELSEWHERE, now - rested)):
            if change:
                self._found.add(share, change)
        return now

    def _probability(self, state: LearnerState, at: datetime) -> float:
        seen = self._view(state, at)
        return 0.5 if seen is None else seen.probability

    def _view(self, state: LearnerState, at: datetime) -> CompetencyView | None:
        """The one competency as readers see it."""
        only = {name: one for name, one in state.competencies.items() if name == self._competency}
        return next(iter(view(replace(state, competencies=only), at).competencies), None)


def evidence_of_rows(
    rows: Iterable[Row], catalog: Mapping[str, Mapped], base: Base | None = None
) -> Iterator[tuple[Row, Evidence]]:
    """What of the rows is folded, in their order; with a base, what is not part of it."""
    found = [(row, counted(row)) for row in rows if not row.reading.of_group]
    if base is not None:
        late = ((row, behind(base.place, one)) for row, one in found if not row.based)
        found = sorted(late, key=lambda pair: key_of(pair[1]))
    for row, one in found:
        yield row, evidence_of(one, catalog)


def _share_of(row: Row, evidence: Evidence) -> Share:
    if evidence.kind != EvidenceKind.RESPONSE or evidence.correctness is None:
        return Share.SEEN
    if row.reading.group_members is not None:
        return Share.GROUP
    return {Outcome.SUCCEEDED: Share.RIGHT, Outcome.FAILED: Share.WRONG}.get(outcome(evidence), Share.PARTLY)

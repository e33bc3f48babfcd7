"""How far what is told of competencies lies from what is true, on simulated learners (see `simulating`).

`.venv/bin/python scripts/estimates.py`: learners whom no version has seen, folded as production does with the version
that comes with the library. Told is the probability for a typical item; true is the chance of any item of the
competency, since nothing tells which one will come.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from learner_model import Evidence, EvidenceKind, probability
from learner_model.additive.kernel import machine
from learner_model.additive.simulating import Learner, Row, Simulation, Truth, learners
from learner_model.competency import belief_at
from learner_model.folder import Folder
from learner_model.reading import state_of
from learner_model.state import CompetencyState

LEARNERS: Final = 250
_DAY: Final = 86_400.0
_PAUSES: Final = (0.0, 7.0, 30.0, 90.0)
_FEWEST: Final = 20
_SPREAD: Final = 4.0  # logits from a difficulty of 0 to one of 1


class Compared(NamedTuple):
    """Of one competency of one learner: answers, chances told and true after each pause, and the belief told."""

    answers: int
    told: tuple[float, ...]
    true: tuple[float, ...]
    mean: float
    variance: float


def main() -> None:
    folder = Folder(kernel=machine())
    found = [one for learner in learners(Simulation(LEARNERS, seed=77)) for one in _compared(folder, learner)]
    told, true = (np.array([getattr(one, name) for one in found]) for name in ("told", "true"))
    answers = np.array([one.answers for one in found])
    for place, days in enumerate(_PAUSES):
        _line(f"after {days:.0f} days", told[:, place], true[:, place])
    for low, high in ((1, 2), (3, 5), (6, 12), (13, 10_000)):
        some = (answers >= low) & (answers <= high)
        _line(f"{low} to {high} answers, at once", told[some, 0], true[some, 0])
        _line(f"{low} to {high} answers, after 30 days", told[some, 2], true[some, 2])
    for tenth in range(2, 10):
        some = (told[:, 0] * 10 >= tenth) & (told[:, 0] * 10 < tenth + 1)
        if some.sum() >= _FEWEST:
            _line(f"told {tenth / 10} to {(tenth + 1) / 10}, at once", told[some, 0], true[some, 0])


def _line(name: str, told: np.ndarray, true: np.ndarray) -> None:
    off = f"bias {np.mean(told - true):+.3f}, root mean square {np.sqrt(np.mean((told - true) ** 2)):.3f}"
    sys.stdout.write(f"{name:36} {len(told):5}: told {told.mean():.3f}, true {true.mean():.3f}, {off}\n")


def _compared(folder: Folder, learner: Learner) -> list[Compared]:
    state = state_of(folder.fold(None, [_evidence(number, row) for number, row in enumerate(learner.rows)]))
    last = {row.skill: row.at for row in learner.rows}
    return [_one(state.competencies[name], truth, last[name]) for name, truth in learner.truths.items()]


def _one(state: CompetencyState, truth: Truth, last: float) -> Compared:
    times = [last + days * _DAY for days in _PAUSES]
    told = tuple(probability(state, datetime.fromtimestamp(at, UTC)) for at in times)
    belief = belief_at(state, datetime.fromtimestamp(last, UTC))
    return Compared(state.evidence_count, told, tuple(truth.chance(at) for at in times), belief.mean, belief.variance)


def _evidence(number: int, row: Row) -> Evidence:
    at = datetime.fromtimestamp(row.at, UTC)
    return Evidence(
        statement_id=f"{number:06d}",
        at=at,
        stored=at,
        activity_id=row.item,
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((row.skill, 1.0),),
        correctness=row.correct,
        duration_seconds=row.duration,
        difficulty=min(max(row.harder / _SPREAD + 0.5, 0.0), 1.0) if row.harder else None,
    )


if __name__ == "__main__":
    main()

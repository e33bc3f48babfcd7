"""What durations, hints, partial scores and a known difficulty are worth, on simulated learners (see `simulating`).

`.venv/bin/python scripts/signals.py`: of each, the area under the ROC curve over held-out learners with it and without.
Simulated learners behave as the simulation says: this shows that the model can use a signal, not what real ones hold.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from cli.evaluation.measures import auc, log_loss
from learner_model.additive.replaying import Answers
from learner_model.additive.simulating import Simulation, simulated
from learner_model.additive.training import Trainer

LEARNERS: Final = 1200


def main() -> None:
    whole = simulated(Simulation(LEARNERS, seed=5, shared=True))
    right = np.round(whole.correct)
    nothing = np.full(len(right), -1.0)
    variants = {
        "all": whole,
        "no durations": whole._replace(duration=nothing),
        "no hints": whole._replace(hints=nothing),
        "right or wrong in place of partial scores": whole._replace(correct=right),
        "no difficulty from a catalog": whole._replace(harder=np.zeros(len(right))),
        "no clock": whole._replace(at=nothing),
    }
    for name, answers in variants.items():
        area, loss = _told(answers, right)
        sys.stdout.write(f"{name:44} AUC {area:.4f}, log loss {loss:.4f}\n")


def _told(answers: Answers, right: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    held = np.flatnonzero(answers.learner >= LEARNERS * 4 // 5)
    trainer = Trainer()
    trainer.run(answers, np.flatnonzero(answers.learner < LEARNERS * 4 // 5))
    told = trainer.run(answers, held).probability[held]
    return auc(right[held], told) or 0.0, log_loss(right[held], told)


if __name__ == "__main__":
    main()

"""Write the version of the model's parameters that comes with the library: learnt from simulated learners alone.

`.venv/bin/python scripts/builtin_parameters.py`: a minute of one core. To be run anew with every change of terms.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import learner_model
import numpy as np
from learner_model.additive.layout import AS_SUCH, BY_ID, BY_PAIR, RATE
from learner_model.additive.simulating import Simulation, simulated
from learner_model.additive.training import Trainer, chosen_hyper
from learner_model.additive.weights import DEFAULT_HYPER, Parameters, published
from learner_model.folder import centred
from learner_model.versions import BUILTIN

LEARNERS: Final = 1500
FORGOTTEN: Final = 0.05  # of what was learnt from: a trainer that goes on from here soon believes real learners more


def parameters() -> Parameters:
    """Nothing is learnt of single items and competencies: those of real learners are others."""
    answers = simulated(Simulation(LEARNERS, seed=20))
    rows = np.arange(len(answers.item))
    hyper = chosen_hyper(answers, rows, Trainer())
    single = [RATE + kind for kind in (BY_ID, BY_PAIR, AS_SUCH)]
    hyper[single] = 0.0
    trainer = Trainer(hyper)
    trainer.run(answers, rows)
    learnt = trainer.publish()
    kept = np.abs(learnt.served) >= 0.002
    hyper[single] = np.array(DEFAULT_HYPER)[single]
    weights = learnt.learning()
    squares = np.zeros_like(weights.squares)
    squares[learnt.places[kept]] = learnt.squares[kept] * np.float32(FORGOTTEN)
    served = np.zeros_like(weights.learned)
    served[learnt.places[kept]] = np.round(learnt.served[kept], 4)
    return centred(published(hyper, served, np.round(squares, 2)))


def main() -> None:
    found = parameters()
    place = Path(learner_model.__file__).with_name(BUILTIN)
    place.write_bytes(found.encode())
    sys.stdout.write(f"{place}: version {found.version}, {len(found.places)} weights, {place.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()

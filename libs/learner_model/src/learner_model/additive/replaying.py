"""Many answers at once, by columns: what the trainer and the evaluation run through."""

from typing import NamedTuple

from learner_model.additive.compiled import Floats, Integers, compiled
from learner_model.additive.folding import fold_answer
from learner_model.additive.layout import Answer, Memory, Terms, Weights


class Answers(NamedTuple):
    """Answers by columns, a learner's together and in order. `skills` of row i, and how much its item is `about` each:
    from `skills_from[i]` to the next. The others as in `Answer`.
    """

    learner: Integers
    item: Integers
    skills: Integers
    about: Floats
    skills_from: Integers
    correct: Floats
    at: Floats
    duration: Floats
    hints: Floats
    weight: Floats
    harder: Floats


class Settings(NamedTuple):
    """`learning`: weights learn from the rows. `interval`: answers between two versions; 0: every answer counts."""

    learning: bool
    interval: int


@compiled
def replay(
    rows: Integers,
    answers: Answers,
    memory: Memory,
    terms: Terms,
    shares: Floats,
    places: Integers,
    weights: Weights,
    hyper: Floats,
    settings: Settings,
    told: Floats,
    start: int,
    stop: int,
) -> int:
    """Fold rows[start:stop], from `start` on to the end of a learner or `stop`; where it stopped."""
    learner = answers.learner[rows[start]]
    for n in range(start, stop):
        row = rows[n]
        if answers.learner[row] != learner:
            return n
        answer = Answer(
            answers.item[row],
            answers.at[row],
            answers.correct[row],
            answers.duration[row],
            answers.hints[row],
            answers.weight[row],
            answers.harder[row],
        )
        first, end = answers.skills_from[row], answers.skills_from[row + 1]
        told[row] = fold_answer(
            memory,
            terms,
            weights,
            hyper,
            answer,
            answers.skills[first:end],
            answers.about[first:end],
            shares,
            places,
            settings.learning,
            settings.interval > 0,
        )
        if settings.interval > 0 and (n + 1) % settings.interval == 0:
            weights.served[:] = weights.learned  # the next version
    return stop

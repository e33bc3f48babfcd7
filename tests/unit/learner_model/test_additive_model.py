"""The additive model: nothing leaks, nothing is lost in bytes, and it learns what is there to be learnt."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from learner_model import Evidence, EvidenceKind
from learner_model.additive.answers import Columns
from learner_model.additive.folding import items_kept
from learner_model.additive.identity import identity
from learner_model.additive.kernel import machine, plain
from learner_model.additive.layout import WHOLE
from learner_model.additive.memory import MemoryVersionError, unpack
from learner_model.additive.memory import blank as blank_memory
from learner_model.additive.replaying import Answers
from learner_model.additive.simulating import Simulation, simulated
from learner_model.additive.training import Trainer, chosen_hyper, trained
from learner_model.additive.weights import DEFAULT_HYPER, Parameters, ParametersVersionError, decode_parameters, prior
from learner_model.folded import pack
from learner_model.folder import Folder
from learner_model.reading import state_of
from learner_model.versions import Loaded, builtin, loaded
from msgspec.structs import replace

START = datetime(2026, 1, 1, tzinfo=UTC)


def some(learners: int, each: int = 40, *, seed: int = 1, clock: bool = True) -> Answers:
    """Answers to items that learners share; some by weak evidence, some durations missing."""
    answers = simulated(Simulation(learners, seed, shared=True, answers_each=each))
    random, rows = np.random.default_rng(seed), len(answers.item)
    return answers._replace(
        at=answers.at if clock else np.full(rows, -1.0),
        duration=np.where(random.random(rows) < 0.5, answers.duration, -1.0),
        weight=np.where(random.random(rows) < 0.1, 0.3, 1.0),
    )


@cache
def learnt() -> Parameters:
    answers = some(40)
    trainer = Trainer()
    trainer.run(answers, np.arange(len(answers.item)))
    return trainer.publish()


class One:
    """One version for all times."""

    def __init__(self, parameters: Parameters) -> None:
        self._loaded = loaded(parameters)

    def of(self, stored: datetime) -> Loaded:
        return self._loaded


@pytest.mark.parametrize(("learning", "interval"), [(False, 0), (True, 0), (True, 50)])
@pytest.mark.parametrize("clock", [True, False])
def test_flipping_later_answers_changes_nothing_earlier(learning: bool, interval: int, clock: bool) -> None:
    answers = some(8, seed=2, clock=clock)
    rows = np.arange(len(answers.item))
    cut = len(rows) * 3 // 4
    flipped = answers.correct.copy()
    flipped[cut:] = 1 - flipped[cut:]
    told, other = (
        Trainer(start=learnt()).run(which, rows, learning=learning, interval=interval).probability
        for which in (answers, answers._replace(correct=flipped))
    )
    assert np.array_equal(told[: cut + 1], other[: cut + 1])
    assert not np.array_equal(told[cut + 1 :], other[cut + 1 :])


def test_the_choice_of_hyper_parameters_sees_training_rows_alone() -> None:
    answers = some(12, seed=3)
    rows = np.flatnonzero(answers.learner < 8)
    flipped = np.where(answers.learner < 8, answers.correct, 1 - answers.correct)
    trainer = Trainer()
    assert np.array_equal(
        chosen_hyper(answers, rows, trainer), chosen_hyper(answers._replace(correct=flipped), rows, trainer)
    )


def test_few_answers_do_not_drive_the_search_out_of_bounds() -> None:
    answers = some(12, seed=5)
    firsts = np.flatnonzero(np.diff(answers.learner, prepend=-1))
    assert np.allclose(chosen_hyper(answers, firsts, Trainer()), DEFAULT_HYPER)


def test_plain_python_and_machine_code_give_the_same_bytes() -> None:
    rows = list(evidence(300))
    folded = [Folder(One(learnt()), kernel=kernel).fold(None, rows) for kernel in (plain(), machine())]
    assert pack(folded[0]) == pack(folded[1])


def test_production_folds_as_the_evaluation_does() -> None:
    rows, columns = list(evidence(300)), Columns()
    columns.add(rows)
    answers = columns.answers()
    trainer = Trainer(learnt().hyper, learnt())
    trainer.run(answers, np.arange(len(answers.item)), learning=False)
    asked = [row for row in rows if row.kind == EvidenceKind.RESPONSE]
    folded, memory = Folder(One(learnt()), kernel=machine()).fold(None, asked), blank_memory()
    unpack(folded.memory, [identity(name) for name in folded.names], memory)
    told = range(WHOLE - 4)  # the last four are for readers
    assert [memory.whole[k] for k in told] == [trainer.memory.whole[k] for k in told]


def evidence(number: int) -> Iterator[Evidence]:
    """One learner's: of all kinds, weak and strong, on one or two competencies."""
    random = np.random.default_rng(4)
    for n in range(number):
        answered = random.random() < 0.8
        moment = START + timedelta(hours=float(n + random.random()))
        yield Evidence(
            statement_id=f"{n:04d}",
            at=moment,
            stored=moment,
            activity_id=f"i{int(random.integers(0, 80))}",
            verb_id="v",
            kind=EvidenceKind.RESPONSE if answered else EvidenceKind.EXPOSURE,
            competencies=tuple((f"s{s}", float(random.choice([1.0, 0.5, 0.2]))) for s in {n % 7, n % 3}),
            correctness=float(random.choice([0.0, 1.0, 0.6])) if answered else None,
            duration_seconds=float(random.integers(1, 90)) if n % 2 else None,
            difficulty=float(random.random()) if n % 3 else None,
            weight=float(random.choice([1.0, 0.3])),
        )


def test_hints_shown_before_an_answer_count_with_it_in_the_fold_and_in_training() -> None:
    told = [replace(one, competencies=one.competencies[:1]) for one in evidence(60) if one.correctness is not None]
    asked = [
        replace(one, statement_id=f"{one.statement_id}h{n}", at=one.at - timedelta(minutes=n + 1), **HINT)
        for one in told[::3]
        for n in range(2)
    ]
    apart, columns = sorted([*told, *asked], key=lambda one: one.key), Columns()
    columns.add(apart)
    counted = [2.0 if n % 3 == 0 else -1.0 for n in range(len(told))]
    assert columns.answers().hints.tolist() == counted
    itself = [replace(one, hints=2) if n % 3 == 0 else one for n, one in enumerate(told)]
    folder = Folder(One(learnt()), kernel=machine())
    assert folder.fold(None, apart).memory == folder.fold(None, itself).memory != folder.fold(None, told).memory


HINT: dict[str, Any] = {"kind": EvidenceKind.EXPOSURE, "correctness": None, "competencies": (), "hints": 1}


def test_other_learners_have_no_say_in_a_frozen_fold() -> None:
    answers = some(6, seed=5)
    last = np.flatnonzero(answers.learner == 5)
    whole = Trainer(start=learnt()).run(answers, np.arange(len(answers.item)), learning=False).probability
    alone = Trainer(start=learnt()).run(answers, last, learning=False).probability
    assert np.array_equal(whole[last], alone[last])


def test_it_tells_right_from_wrong_and_says_so_honestly() -> None:
    answers = some(60, 60, seed=6)
    told = Trainer(start=learnt()).run(answers, np.arange(len(answers.item))).probability
    right = told[answers.correct == 1]
    wrong = told[answers.correct == 0]
    assert np.mean(right[:, None] > wrong[None, :]) > 0.68
    assert abs(told.mean() - answers.correct.mean()) < 0.02


def test_a_gap_counts_to_the_second() -> None:
    answers, random = some(40, 40, seed=8), np.random.default_rng(8)
    gaps = random.integers(20, 24, len(answers.item))
    even = gaps % 2 == 0
    timed = answers._replace(at=np.cumsum(gaps).astype(np.float64), correct=even.astype(np.float64))
    told = Trainer().run(timed, np.arange(len(gaps))).probability
    late = np.arange(len(gaps)) >= len(gaps) - 400
    assert told[even & late].mean() - told[~even & late].mean() > 0.2


def test_whoever_meets_more_skills_has_more_items_kept() -> None:
    assert [items_kept(skills) for skills in (0, 20, 22, 150, 1000)] == [48, 48, 49, 113, 128]


def test_parameters_survive_their_bytes_and_tell_other_bytes_apart() -> None:
    data = learnt().encode()
    read = decode_parameters(data)
    assert read.version == learnt().version != prior().version
    assert np.array_equal(read.places, learnt().places)
    assert np.array_equal(read.served, learnt().served)
    assert not read.served.flags.writeable
    for broken in (b"", b"nothing", data[:-20]):
        with pytest.raises(ParametersVersionError):
            decode_parameters(broken)


def test_memory_of_another_version_is_refused() -> None:
    folded = Folder().fold(None, evidence(3))
    memory = blank_memory()
    for broken in (b"", folded.memory[:-1], b"\xff" + folded.memory[1:]):
        with pytest.raises(MemoryVersionError):
            unpack(broken, [identity(name) for name in folded.names], memory)


class TestAVersionToFoldWith:
    def test_it_is_made_of_answers_alone_and_always_the_same(self) -> None:
        answers = some(30, seed=7)
        one, again = trained(answers), trained(answers)
        assert one.version == again.version != builtin().version
        assert one.encode() == again.encode()

    def test_of_a_new_learner_it_tells_what_holds_for_all(self) -> None:
        seen = state_of(Folder(One(trained(some(30, seed=7)))).fold(None, [only_looked()]))
        assert seen.level.own == pytest.approx(0.0, abs=1e-3)
        assert seen.level.lately == pytest.approx(0.0, abs=1e-3)

    def test_the_one_that_comes_with_the_library_tells_unseen_learners_better_than_nothing(self) -> None:
        answers = simulated(Simulation(40, seed=99, answers_each=40))
        rows = np.arange(len(answers.item))
        losses = []
        for start in (builtin(), prior()):
            told = Trainer(start=start).run(answers, rows, learning=False).probability
            right = answers.correct
            losses.append(-np.mean(right * np.log(told) + (1 - right) * np.log(1 - told)))
        assert losses[0] < losses[1] - 0.01


def only_looked() -> Evidence:
    return Evidence(
        statement_id="1",
        at=START,
        stored=START,
        activity_id="i",
        verb_id="v",
        kind=EvidenceKind.EXPOSURE,
        competencies=(("s", 1.0),),
    )

"""The additive model: nothing leaks, nothing is lost in bytes, and it learns what is there to be learnt."""

from functools import cache

import numpy as np
import pytest
from learner_model.additive.memory import MemoryVersionError, fresh, identity, pack, unpack
from learner_model.additive.reckoning import Reckoner, Response
from learner_model.additive.training import Answers, Trainer, chosen_hyper
from learner_model.additive.weights import (
    DEFAULT_HYPER,
    Parameters,
    ParametersVersionError,
    decode_parameters,
    prior,
)


def simulated(learners: int, each: int, *, seed: int = 1, skills: int = 6, clock: bool = True) -> Answers:
    """Learners of differing ability, who learn by practice; one to two skills an item, some durations missing."""
    random = np.random.default_rng(seed)
    rows = learners * each
    item = random.integers(0, 40, rows)
    ability = np.repeat(random.normal(0, 1, learners), each)
    practice = np.tile(np.arange(each), learners) / each
    chance = 1 / (1 + np.exp(-(ability + practice - np.linspace(-2, 2, 40)[item])))
    of_item = [[i % skills] if i % 3 else [i % skills, (i + 1) % skills] for i in item.tolist()]
    return Answers(
        learner=np.repeat(np.arange(learners), each),
        item=np.array([identity(f"i{i}") for i in item]),
        skills=np.array([identity(f"s{s}") for one in of_item for s in one]),
        skills_from=np.cumsum([0, *(len(one) for one in of_item)]),
        correct=(random.random(rows) < chance).astype(np.float64),
        at=np.cumsum(random.integers(1, 4000, rows)).astype(np.float64) if clock else np.full(rows, -1.0),
        duration=np.where(random.random(rows) < 0.5, random.integers(1, 90, rows), -1).astype(np.float64),
        hints=random.integers(-1, 4, rows).astype(np.float64),
    )


@cache
def trained() -> Parameters:
    answers = simulated(30, 60)
    trainer = Trainer()
    trainer.run(answers, np.arange(len(answers.item)))
    return trainer.publish()


@pytest.mark.parametrize(("learning", "interval"), [(False, 0), (True, 0), (True, 50)])
@pytest.mark.parametrize("clock", [True, False])
def test_flipping_later_answers_changes_nothing_earlier(learning: bool, interval: int, clock: bool) -> None:
    answers = simulated(8, 50, seed=2, clock=clock)
    rows, cut = np.arange(len(answers.item)), 237
    flipped = answers.correct.copy()
    flipped[cut:] = 1 - flipped[cut:]
    told, other = (
        Trainer(start=trained()).run(which, rows, learning=learning, interval=interval).probability
        for which in (answers, answers._replace(correct=flipped))
    )
    assert np.array_equal(told[: cut + 1], other[: cut + 1])
    assert not np.array_equal(told[cut + 1 :], other[cut + 1 :])


def test_the_choice_of_hyper_parameters_sees_training_rows_alone() -> None:
    answers = simulated(12, 40, seed=3)
    rows = np.flatnonzero(answers.learner < 8)
    flipped = np.where(answers.learner < 8, answers.correct, 1 - answers.correct)
    trainer = Trainer()
    assert np.array_equal(
        chosen_hyper(answers, rows, trainer), chosen_hyper(answers._replace(correct=flipped), rows, trainer)
    )


@pytest.mark.parametrize("clock", [True, False])
def test_production_folds_one_answer_at_a_time_to_the_same_figures(clock: bool) -> None:
    answers = simulated(1, 300, seed=4, clock=clock)
    told = Trainer(trained().hyper, trained()).run(answers, np.arange(300), learning=False).probability
    reckoner, packed = Reckoner(trained()), None
    names = {identity(f"{kind}{n}"): f"{kind}{n}" for kind in "is" for n in range(40)}
    for row in range(300):
        response = Response(
            item=names[answers.item[row]],
            skills=[names[s] for s in answers.skills[answers.skills_from[row] : answers.skills_from[row + 1]]],
            correct=answers.correct[row],
            at=answers.at[row] if clock else None,
            duration=answers.duration[row] if answers.duration[row] >= 0 else None,
            hints=answers.hints[row] if answers.hints[row] >= 0 else None,
        )
        assert reckoner.told(packed, response) == told[row]
        packed = reckoner.after(packed, [response])
    assert packed is not None
    assert pack(unpack(packed)) == packed


def test_other_learners_have_no_say_in_a_frozen_fold() -> None:
    answers = simulated(6, 40, seed=5)
    whole = Trainer(start=trained()).run(answers, np.arange(240), learning=False).probability
    alone = Trainer(start=trained()).run(answers, np.arange(200, 240), learning=False).probability
    assert np.array_equal(whole[200:], alone[200:])


def test_it_tells_right_from_wrong_and_says_so_honestly() -> None:
    answers = simulated(60, 60, seed=6)
    told = Trainer(start=trained()).run(answers, np.arange(3600)).probability
    right = told[answers.correct == 1]
    wrong = told[answers.correct == 0]
    assert np.mean(right[:, None] > wrong[None, :]) > 0.72
    assert abs(told.mean() - answers.correct.mean()) < 0.02


@pytest.mark.parametrize(("skills", "most"), [(20, 4096), (150, 16_384), (400, 16_384 + 250 * 80)])
def test_bytes_stay_bounded_whatever_the_history(skills: int, most: int) -> None:
    reckoner, sizes = Reckoner(prior()), []
    packed = None
    for start in range(0, 3 * skills + 600, 300):
        these = range(start, start + 300)
        packed = reckoner.after(
            packed,
            [
                Response(item=f"i{n % (3 * skills)}", skills=[f"s{n % skills}"], correct=n % 2, at=60.0 * n)
                for n in these
            ],
        )
        sizes.append(len(packed))
    assert sizes[-1] == sizes[-2] <= most


def test_parameters_survive_their_bytes_and_tell_other_bytes_apart() -> None:
    data = trained().encode()
    read = decode_parameters(data)
    assert read.version == trained().version != prior().version
    assert np.array_equal(read.weights.served != 0, trained().weights.served != 0)
    assert not read.weights.served.flags.writeable
    for broken in (b"", b"nothing", data[:-20]):
        with pytest.raises(ParametersVersionError):
            decode_parameters(broken)


def test_memory_of_another_version_is_refused() -> None:
    packed = pack(fresh(np.array(DEFAULT_HYPER)))
    for broken in (b"", packed[:-1], b"\xff" + packed[1:]):
        with pytest.raises(MemoryVersionError):
            unpack(broken)


class TestWhatIsExpected:
    def test_shares_make_up_the_logit(self) -> None:
        reckoner = Reckoner(trained())
        packed = reckoner.after(None, [Response(item=f"i{n}", skills=["s1"], correct=1, at=60.0 * n) for n in range(9)])
        seen = reckoner.expectation(packed, ["s1"], 900.0, "i3")
        assert sum(seen.shares.values()) == pytest.approx(seen.logit)
        assert reckoner.after(packed, []) == packed

    def test_success_raises_and_evidence_narrows(self) -> None:
        reckoner = Reckoner(trained())
        none = reckoner.expectation(None, ["s1"], 0.0)
        good, bad = (
            reckoner.expectation(
                reckoner.after(
                    None, [Response(item=f"i{n}", skills=["s1"], correct=c, at=60.0 * n) for n in range(12)]
                ),
                ["s1"],
                780.0,
            )
            for c in (1, 0)
        )
        assert good.mastery(0.8) > none.mastery(0.8) > bad.mastery(0.8)
        assert good.variance < none.variance

    def test_an_unseen_skill_has_no_half_life(self) -> None:
        outlook = Reckoner(trained()).outlook(None, "s1", 0.0, 0.8)
        assert outlook.half_life_days is None
        assert outlook.due_days is None

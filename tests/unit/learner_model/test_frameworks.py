"""What evidence on one competency says of those above and below it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from events.payloads import CatalogCompetency
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import (
    MASTERY_THRESHOLD,
    CompetencyView,
    Evidence,
    EvidenceKind,
    probability,
    view,
)
from learner_model.frameworks import APART, Estimate, Frameworks, informed, rolled_up
from learner_model.overruling import HOLDS, Overruling, Standing, standing
from learner_model.placement import Placement
from learner_model.reading import fold_all
from service_kit.frameworks import frameworks_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
START = Estimate(probability=0.5, mastery=0.1, uncertainty=0.24)
#        maths
#       /     \
#  fractions  shapes
#   /   |  \
# halves thirds quarters
MATHS = Frameworks.of(
    {
        "fractions": ["maths"],
        "shapes": ["maths"],
        "halves": ["fractions"],
        "thirds": ["fractions"],
        "quarters": ["fractions"],
    }
)


def known(probability: float, mastery: float = 0.5, count: int = 4, **more: Any) -> Estimate:
    return replace(
        Estimate(probability=probability, mastery=mastery, uncertainty=0.1, evidence_count=count, last_seen=NOW), **more
    )


class TestRollingUp:
    def test_a_parent_is_the_mean_of_the_children_of_which_something_is_known(self) -> None:
        found = rolled_up(MATHS, {"halves": known(0.9), "thirds": known(0.5)}, START)
        fractions = found["fractions"]
        assert fractions.estimate.probability == pytest.approx(0.7)
        assert (fractions.known, fractions.children) == (2, 3)
        assert set(fractions.parts) == {"halves", "thirds"}
        assert found["maths"].estimate.probability == pytest.approx(0.7)
        assert set(found) == {"fractions", "maths"}

    def test_a_child_of_which_nothing_is_known_is_not_mastered(self) -> None:
        found = rolled_up(MATHS, {"halves": known(0.95, 0.9), "thirds": known(0.95, 0.9)}, START)
        assert found["fractions"].estimate.mastery == pytest.approx(0.6)
        assert found["maths"].estimate.mastery == pytest.approx(0.3)

    def test_each_child_counts_alike_however_much_evidence_it_has(self) -> None:
        found = rolled_up(MATHS, {"halves": known(1.0, count=1), "thirds": known(0.0, count=99)}, START)
        assert found["fractions"].estimate.probability == pytest.approx(0.5)
        assert found["fractions"].estimate.evidence_count == 100

    def test_the_less_is_known_below_the_wider(self) -> None:
        children = ("halves", "thirds", "quarters")
        widths = [
            rolled_up(MATHS, dict.fromkeys(children[:n], known(0.8)), START)["fractions"].estimate.uncertainty
            for n in (1, 2, 3)
        ]
        assert widths == sorted(widths, reverse=True)

    def test_what_was_answered_on_the_parent_itself_is_one_more_and_speaks_for_unknown_children(self) -> None:
        alone = rolled_up(MATHS, {"halves": known(0.9, 0.8)}, START)["fractions"].estimate
        found = rolled_up(MATHS, {"halves": known(0.9, 0.8), "fractions": known(0.7, 0.9)}, START)["fractions"]
        assert found.own == known(0.7, 0.9)
        assert found.estimate.probability == pytest.approx(0.8)
        assert alone.mastery < found.estimate.mastery < 0.9

    def test_a_child_of_two_parents_counts_in_each(self) -> None:
        crossed = Frameworks.of({"ratio": ["maths", "science"]})
        found = rolled_up(crossed, {"ratio": known(0.6)}, START)
        assert found["maths"].estimate == found["science"].estimate

    def test_circles_are_not_followed(self) -> None:
        circle = Frameworks.of({"a": ["b"], "b": ["c"], "c": ["a"], "x": ["b"], "self": ["self"]})
        found = rolled_up(circle, {"x": known(0.6)}, START)
        assert {"a", "b", "c"} >= set(found) >= {"b"}
        assert informed(circle, {"self": known(0.5)}, START, "self") is None

    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(
            st.integers(0, 11), st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.3)), min_size=1
        ),
        st.dictionaries(st.integers(0, 11), st.lists(st.integers(0, 11), max_size=3)),
    )
    def test_whatever_the_graph_nothing_leaves_what_its_parts_allow(
        self, own: dict[int, tuple[float, float, float]], edges: dict[int, list[int]]
    ) -> None:
        frameworks = Frameworks.of({str(a): [str(b) for b in above] for a, above in edges.items()})
        estimates = {
            str(name): Estimate(probability=p, mastery=m, uncertainty=u, evidence_count=1)
            for name, (p, m, u) in own.items()
        }
        for name, one in rolled_up(frameworks, estimates, START).items():
            parts = [*one.parts.values(), *([one.own] if one.own else [])]
            low, high = min(p.probability for p in parts), max(p.probability for p in parts)
            assert low - 1e-4 <= one.estimate.probability <= high + 1e-4
            assert 0.0 <= one.estimate.mastery <= max([*(p.mastery for p in parts), START.mastery]) + 1e-4
            assert name not in one.parts
        for name in map(str, range(12)):
            found = informed(frameworks, estimates, START, name)
            if found is not None:
                levels = [START.probability, *(estimates[a].probability for a in found.ancestors)]
                assert min(levels) - 1e-4 <= found.estimate.probability <= max(levels) + 1e-4


class TestInforming:
    def test_a_child_without_evidence_moves_part_of_the_way(self) -> None:
        found = informed(MATHS, {"fractions": known(0.9)}, START, "thirds")
        assert found is not None
        assert found.ancestors == ("fractions",)
        assert START.probability < found.estimate.probability < 0.9
        assert found.weight < 0.5
        assert found.estimate.uncertainty < START.uncertainty
        assert found.estimate.evidence_count == 0

    def test_what_is_farther_away_says_less_and_the_nearest_speaks(self) -> None:
        far = informed(MATHS, {"maths": known(0.9)}, START, "thirds")
        near = informed(MATHS, {"maths": known(0.9), "fractions": known(0.2)}, START, "thirds")
        assert far is not None
        assert near is not None
        assert near.ancestors == ("fractions",)
        assert far.weight < near.weight

    def test_an_uncertain_parent_says_less(self) -> None:
        sure = informed(MATHS, {"fractions": known(0.9)}, START, "thirds")
        unsure = informed(MATHS, {"fractions": known(0.9, uncertainty=APART)}, START, "thirds")
        assert sure is not None
        assert unsure is not None
        assert unsure.weight < sure.weight

    def test_where_no_ancestor_has_evidence_nothing_is_said(self) -> None:
        assert informed(MATHS, {"shapes": known(0.9)}, START, "thirds") is None


class TestATeachersWord:
    SAID = Overruling(probability=0.9, at=NOW, evidence_count=3)

    @pytest.mark.parametrize(
        ("probability", "count", "days", "expected"),
        [
            (0.3, 3, 0, Standing.HOLDS),
            (0.3, 7, 1, Standing.HOLDS),
            (0.3, 8, 1, Standing.DISPUTED),
            (0.85, 8, 1, Standing.HOLDS),
            (0.85, 13, 1, Standing.LAPSED),
            (0.85, 3, HOLDS.days - 1, Standing.HOLDS),
            (0.85, 3, HOLDS.days, Standing.LAPSED),
            (0.3, 1, 1, Standing.HOLDS),
        ],
    )
    def test_how_long_it_stands(self, probability: float, count: int, days: int, expected: Standing) -> None:
        assert standing(self.SAID, known(probability, count=count), NOW + timedelta(days=days)) is expected


class TestThresholds:
    """From which probability on a competency counts as mastered, as the curriculum says."""

    HARD = Frameworks.of(MATHS.parents, {"halves": 0.95, "quarters": 0.5})
    STATE = fold_all(
        Evidence(
            statement_id=f"{name}/{number}",
            at=NOW + timedelta(minutes=number),
            stored=NOW + timedelta(minutes=number),
            activity_id=f"https://x.example/{name}/{number}",
            verb_id="answered",
            kind=EvidenceKind.RESPONSE,
            competencies=((name, 1.0),),
            correctness=1.0,
        )
        for name in ("halves", "thirds", "maths")
        for number in range(6)
    )

    def seen(self, frameworks: Frameworks) -> dict[str, CompetencyView]:
        return {one.id: one for one in view(self.STATE, NOW + timedelta(hours=1), frameworks).competencies}

    def test_a_higher_one_is_reached_later_and_lost_sooner(self) -> None:
        usual, hard = self.seen(MATHS), self.seen(self.HARD)
        assert (hard["halves"].threshold, hard["thirds"].threshold) == (0.95, MASTERY_THRESHOLD)
        assert hard["halves"].mastery < usual["halves"].mastery
        assert hard["halves"].probability == usual["halves"].probability
        assert hard["thirds"] == usual["thirds"]

    @pytest.mark.parametrize("threshold", [0.75, 0.8, 0.85])
    def test_the_date_is_when_the_probability_falls_under_it(self, threshold: float) -> None:
        found = self.seen(Frameworks.of({}, {"halves": threshold}))["halves"]
        assert found.due_at is not None
        assert probability(self.STATE.competencies["halves"], found.due_at) == pytest.approx(threshold, abs=1e-3)

    def test_a_parent_counts_each_part_by_its_own(self) -> None:
        usual = Placement(self.STATE, NOW, MATHS)
        hard = Placement(self.STATE, NOW, self.HARD)
        assert hard.rolled["fractions"].parts["halves"].mastery < usual.rolled["fractions"].parts["halves"].mastery
        assert hard.rolled["fractions"].estimate.mastery < usual.rolled["fractions"].estimate.mastery

    def test_what_a_parent_says_of_a_part_is_measured_by_the_part(self) -> None:
        usual, easy = (Placement(self.STATE, NOW, one).informed("shapes") for one in (MATHS, SHAPES_EASY))
        assert usual is not None
        assert easy is not None
        assert easy.estimate.mastery > usual.estimate.mastery
        assert easy.estimate.probability == usual.estimate.probability

    def test_the_own_one_goes_before_the_frameworks(self) -> None:
        found = frameworks_of(
            {
                name: CatalogCompetency(id=name, title=name, framework="f", parents=[], mastery_threshold=own)
                for name, own in {"f": 0.9, "a": None, "b": 0.7}.items()
            }
        )
        assert [found.threshold(one) for one in ("f", "a", "b", "elsewhere")] == [0.9, 0.9, 0.7, MASTERY_THRESHOLD]


SHAPES_EASY = Frameworks.of(MATHS.parents, {"shapes": 0.5})

"""What the figures are made of."""

from datetime import UTC, datetime, timedelta

import pytest
from events.payloads import Basis, ConsentState, ConsentStatus, Decision, Policy, PurposePolicy, Unknown
from insights.pages import charts, sessions
from insights.reports.figures import Pupil
from insights.reports.reporting import build, pupils_of
from insights.reports.schemas import Report
from insights.reports.tallies import MOST_VALUES, chain
from insights.reports.times import as_of
from insights.rosters.places import TOP, Place
from insights.rosters.repository import Member
from insights.states.repository import Activity, Competencies
from learner_model import CompetencyState, mastery
from learner_model.frameworks import Frameworks
from service_kit.consent import Standings
from service_kit.merging import Group
from service_kit.problems import BadRequest

NOW = datetime(2026, 5, 1, tzinfo=UTC)
USUAL = Frameworks()
WEST, EAST = Place("West", "", "", "A"), Place("East", "", "", "A")
POLICY = Policy(
    version=1,
    purposes={p: PurposePolicy(basis=Basis.public_task, unknown=Unknown.allowed) for p in ("insights", "profile")},
)


def competency(mean: float, evidence: int = 3) -> CompetencyState:
    at = int(NOW.timestamp())
    return CompetencyState(mean, 1.0, evidence, 1.0, 0, at, at, 5.0, provisional=False)


def pupil(name: str, place: Place, activity: Activity | None, **attributes: str) -> Pupil:
    return Pupil(name, chain(place), (place,), attributes, activity)


def class_of(size: int, place: Place, days: float | None = 1, prefix: str = "", **attributes: str) -> list[Pupil]:
    last = None if days is None else NOW - timedelta(days=days)
    activity = Activity(0 if days is None else 2, last, evidenced=days is not None)
    return [pupil(f"{prefix}{place}{i}", place, activity, **attributes) for i in range(size)]


def report(pupils: list[Pupil], mean: float = 1.0, place: Place = TOP, frameworks: Frameworks = USUAL) -> Report:
    known = {
        p.learner: Competencies({"c": competency(mean)}, {}) for p in pupils if p.activity and p.activity.evidenced
    }
    return build(place, pupils, known, NOW, frameworks)


def test_mastery_is_measured_by_what_the_curriculum_asks() -> None:
    pupils = class_of(20, WEST)
    usual, hard = report(pupils), report(pupils, frameworks=Frameworks(thresholds={"c": 0.95}))
    assert hard.figures.mean_mastery.value == pytest.approx(mastery(competency(1.0), NOW, 0.95), abs=1e-4)
    assert (hard.figures.mean_mastery.value or 0) < (usual.figures.mean_mastery.value or 0)


def test_one_person_by_two_identifiers_is_in_both_classes_and_counted_once() -> None:
    entries = [Member("ann", "learner", (WEST,), {"lunch": "free"}), Member("ann-by-mail", "learner", (EAST,))]
    entries.append(Member("ben", "learner", (EAST,)))
    group = Group(("ann", "ann-by-mail"))
    objected = Decision(status=ConsentStatus.objected, since=NOW)
    states = {"ann-by-mail": ConsentState(version=1, purposes={"insights": objected})}
    activities = {"ann": Activity(3, NOW, evidenced=True), "ben": Activity(1, NOW, evidenced=True)}
    merged = pupils_of(entries, activities, Standings(POLICY, {}, dict.fromkeys(group.everyone, group)))
    assert [(one.learner, one.places) for one in merged] == [("ann", (WEST, EAST)), ("ben", (EAST,))]
    assert (merged[0].attributes, merged[0].activity) == ({"lunch": "free"}, activities["ann"])
    stricter = pupils_of(entries, activities, Standings(POLICY, states, dict.fromkeys(group.everyone, group)))
    assert [one.activity for one in stricter] == [None, activities["ben"]]
    assert len(pupils_of(entries, activities, Standings(POLICY, {}))) == 3


def test_the_denominator_is_the_roster_and_idle_is_over_14_days_or_never() -> None:
    figures = report(class_of(12, WEST) + class_of(11, WEST, 14.01, "i") + class_of(13, WEST, None, "n")).figures
    assert (figures.learners.value, figures.active.value, figures.statements.value) == (36, 12, 46)
    assert figures.share_without_statement_14_days.value == pytest.approx(24 / 36, abs=1e-4)
    assert {f.denominator for f in (figures.active, figures.mean_mastery, figures.statements)} == {36}
    assert figures.mean_mastery.counted == 23
    assert figures.mean_mastery.value == pytest.approx(mastery(competency(1.0), NOW), abs=1e-4)


def test_who_allows_no_insights_or_no_profile_stays_in_the_denominator_and_adds_nothing() -> None:
    def objected(purpose: str) -> ConsentState:
        return ConsentState(version=1, purposes={purpose: Decision(status=ConsentStatus.objected, since=NOW)})

    standings = Standings(POLICY, {"l0": objected("insights"), "l1": objected("profile"), "l2": objected("teach")})
    members = [Member(f"l{i}", "learner", (WEST,)) for i in range(30)]
    activities = {m.learner: Activity(5, NOW, evidenced=True) for m in members}
    figures = report(pupils_of(members, activities, standings)).figures
    assert (figures.learners.value, figures.active.value, figures.statements.value) == (30, 28, 140)
    assert (figures.active.denominator, figures.active.counted, figures.mean_mastery.counted) == (30, 28, 28)


def test_a_mean_over_fewer_than_10_is_hidden_however_large_the_class() -> None:
    pupils = class_of(30, WEST, None) + class_of(3, WEST, prefix="s")
    figures = report(pupils).figures
    assert (figures.learners.value, figures.mean_mastery.suppressed, figures.mean_mastery.value) == (33, True, None)


def test_a_learner_in_two_classes_counts_once_above() -> None:
    pupils = class_of(20, WEST) + class_of(20, EAST)
    both = Pupil("both", (*chain(WEST), *chain(EAST)[1:]), (WEST, EAST), {}, Activity(1, NOW, evidenced=False))
    found = report([*pupils, both])
    assert found.figures.learners.value == 41
    assert [child.figures.learners.value for child in found.children] == [21, 21]


def test_learners_in_no_class_are_a_part_of_their_own() -> None:
    found = report(class_of(20, WEST) + class_of(12, Place("West"), prefix="d"), place=Place("West"))
    assert [(c.level, c.scope is None, c.figures.learners.value) for c in found.children] == [
        ("class", False, 20),
        ("none", True, 12),
    ]


def test_a_small_class_takes_the_next_smallest_with_it() -> None:
    pupils = class_of(4, Place("W", "", "", "a")) + class_of(12, Place("W", "", "", "b"))
    found = report([*pupils, *class_of(30, Place("W", "", "", "c"))], place=Place("W"))
    assert [(c.name, c.suppressed, c.figures.learners.value) for c in found.children] == [
        ("a", True, None),
        ("b", True, None),
        ("c", False, 30),
    ]
    assert found.suppressed_counts.children == 2


def test_the_gap_is_between_the_groups_shown() -> None:
    low, high, few = (
        class_of(20, WEST, prefix="l", band="10-20"),
        class_of(20, WEST, prefix="h", band="5-10"),
        class_of(15, WEST, None, prefix="n"),
    )
    known = {p.learner: Competencies({"c": competency(0.0)}, {}) for p in low}
    known |= {p.learner: Competencies({"c": competency(2.0)}, {}) for p in high}
    gap = build(TOP, [*low, *high, *few], known, NOW, USUAL).gaps[0]
    assert [group.value for group in gap.groups] == ["5-10", "10-20", None]
    assert (gap.attribute, gap.lowest, gap.highest) == ("band", "10-20", "5-10")
    assert gap.gap == pytest.approx(mastery(competency(2.0), NOW) - mastery(competency(0.0), NOW), abs=1e-3)


def test_a_small_group_of_an_attribute_takes_the_next_smallest_with_it() -> None:
    pupils = [p for v, n in (("a", 4), ("b", 15), ("c", 30)) for p in class_of(n, WEST, prefix=v, band=v)]
    gap = report(pupils).gaps[0]
    assert [group.suppressed for group in gap.groups] == [True, True, False]
    assert gap.gap is None


def test_an_attribute_that_names_learners_makes_no_groups() -> None:
    pupils = [pupil(str(i), WEST, None, number=str(i)) for i in range(MOST_VALUES + 1)]
    assert report(pupils).gaps == []


def test_forgetting_is_reckoned_at_as_of() -> None:
    pupils = class_of(20, WEST)
    known = {p.learner: Competencies({"c": competency(3.0)}, {}) for p in pupils}
    now, later = (build(TOP, pupils, known, at, USUAL).figures for at in (NOW, NOW + timedelta(days=60)))
    assert now.mean_mastery.value is not None
    assert later.mean_mastery.value is not None
    assert later.mean_mastery.value < now.mean_mastery.value
    assert (now.active.value, later.active.value) == (20, 0)


def test_an_empty_roster_gives_an_empty_report() -> None:
    found = report([])
    assert (found.figures.learners.value, found.figures.mean_mastery.value, found.children) == (0, None, [])


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (None, NOW),
        ("2014-10-01", datetime(2014, 10, 1, 23, 59, 59, tzinfo=UTC)),
        ("2014-10-01T02:00:00+02:00", datetime(2014, 10, 1, tzinfo=UTC)),
        ("2014-10-01T02:00:00 02:00", datetime(2014, 10, 1, tzinfo=UTC)),
        ("2014-10-01t00:00:00.5z", datetime(2014, 10, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_as_of_is_rfc_3339_or_a_date(text: str | None, time: datetime) -> None:
    assert as_of(text, NOW) == time


@pytest.mark.parametrize("text", ["yesterday", "2014-13-01", "2014-10-01T00:00:00", "0001-01-01T00:00:00+23:00"])
def test_another_as_of_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        as_of(text, NOW)


@pytest.mark.parametrize("path", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "elsewhere", ""])
def test_signing_in_leads_nowhere_else(path: str) -> None:
    assert sessions.local(path) == "/"


def test_the_chart_puts_the_lowest_first_and_says_what_it_does_not_draw() -> None:
    pupils = class_of(20, WEST) + class_of(20, EAST, None) + class_of(50, Place("Mid")) + class_of(3, Place("Far"))
    found = report(pupils)
    chart = charts.bar_chart(found.children)
    drawn = {bar.title: bar.mastery for bar in chart.bars}
    assert (drawn["Far"].width, drawn["Far"].label) == (None, "not shown")
    assert (drawn["East"].width, drawn["East"].label) == (None, "not shown")  # hidden beside the small one
    assert drawn["Mid"].width is not None
    assert chart.bars[0].title in {"Mid", "West"}

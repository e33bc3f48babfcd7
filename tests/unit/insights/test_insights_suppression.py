"""Nobody can work out a small group from what is shown: tried by linear algebra on whole systems of reports."""

from collections.abc import Callable, Collection, Hashable, Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from insights.reports.figures import Pupil
from insights.reports.reporting import build
from insights.reports.schemas import Figure, Figures, Report
from insights.reports.suppression import THRESHOLD, bridges, hide, hide_table
from insights.reports.tallies import chain, scopes
from insights.rosters.places import Place
from insights.states.repository import Activity, Competencies
from learner_model import CompetencyState
from learner_model.frameworks import Frameworks

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PRIME = 2**61 - 1
KNOWN = Competencies(
    {"c": CompetencyState(0.5, 1.0, 3, 2.0, 0, int(NOW.timestamp()), int(NOW.timestamp()), 5.0, provisional=False)}, {}
)

Atom = tuple[Place, str]
Scope = tuple[Place, str | None]  # value None: all of the place


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ([], set()),
        ([30, 10, 12], set()),
        ([30, 5, 12], {1, 2}),
        ([30, 5, 12, 4], {1, 3, 2}),  # 5 and 4 together are still under 10
        ([30, 9, 9], {1, 2}),
        ([30, 0, 12], set()),
        ([3, 0], {0, 1}),
    ],
)
def test_the_small_and_the_next_smallest_are_hidden(sizes: list[int], hidden: set[int]) -> None:
    assert hide(ones(sizes)) == hidden


def test_a_part_that_leaves_a_small_rest_of_its_total_is_hidden() -> None:
    assert 0 in hide([(28,), (20,)], total=(30,))


@given(st.lists(st.integers(0, 40), max_size=12), st.data())
def test_what_is_hidden_of_a_line_is_never_a_small_sum(sizes: list[int], data: st.DataObject) -> None:
    already = data.draw(st.sets(st.integers(0, len(sizes) - 1))) if sizes else set()
    hidden = hide(ones(sizes), already)
    assert already <= hidden
    assert all(i in hidden for i, size in enumerate(sizes) if 0 < size < THRESHOLD)
    if hidden and hidden != set(range(len(sizes))):
        assert len(hidden) > 1
        assert sum(sizes[i] for i in hidden) >= THRESHOLD


def test_each_count_of_a_size_is_kept_by_itself() -> None:
    # 30 learners each, of whom 2, 20 and 30 have evidence: the 2 need cover, and the 20 give it.
    assert hide([(30, 2), (30, 20), (30, 30)]) == {0, 1}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True, max_size=14))
def test_bridges_are_the_edges_whose_removal_parts_the_graph(cells: list[tuple[int, int]]) -> None:
    edges = {(r, c): (("row", r), ("column", c)) for r, c in cells}

    def reached(without: tuple[int, int]) -> bool:
        seen, grown = {("row", without[0])}, True
        while grown:
            more = {n for e, ends in edges.items() if e != without and seen & set(ends) for n in ends} - seen
            seen |= more
            grown = bool(more)
        return ("column", without[1]) in seen

    assert {cell for cell, _ in bridges(edges)} == {cell for cell in edges if not reached(cell)}


@given(st.integers(1, 5), st.integers(1, 4), st.data())
@settings(max_examples=150, deadline=None)
def test_no_small_cell_of_a_table_follows_from_the_shown(rows: int, columns: int, data: st.DataObject) -> None:
    sizes = [[data.draw(st.integers(0, 30)) for _ in range(columns)] for _ in range(rows)]
    open_rows = {r for r in range(rows) if 0 < sum(sizes[r]) < THRESHOLD}
    open_columns = {c for c in range(columns) if 0 < sum(row[c] for row in sizes) < THRESHOLD}
    if len(open_rows) == 1 or len(open_columns) == 1:
        return  # the line above would have hidden another one with it
    hidden = hide_table([ones(line) for line in sizes], open_rows=open_rows, open_columns=open_columns)
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    equations = [{cell} for cell in cells if cell not in hidden]
    equations += [{(r, c) for c in range(columns)} for r in range(rows) if r not in open_rows]
    equations += [{(r, c) for r in range(rows)} for c in range(columns) if c not in open_columns]
    span = Span(cells, equations)
    if sum(map(sum, sizes)) >= THRESHOLD:
        assert not [cell for cell in cells if 0 < sizes[cell[0]][cell[1]] < THRESHOLD and span.gives({cell})]


def test_a_cell_in_two_complete_lines_that_follows_from_both_is_covered() -> None:
    # The 3 has a hidden partner in its row and one in its column, which no line by itself would betray.
    sizes = [[3, 20, 40], [15, 50, 60], [70, 80, 90]]
    hidden = hide_table([ones(line) for line in sizes])
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} <= hidden
    assert (2, 2) not in hidden


class Span:
    """The row space of 0/1 equations, modulo a large prime."""

    def __init__(self, unknowns: Iterable[Hashable], equations: Iterable[Collection[Hashable]]) -> None:
        self._places = {unknown: i for i, unknown in enumerate(unknowns)}
        self._rows: dict[int, dict[int, int]] = {}
        for equation in equations:
            row = self._reduced({self._places[unknown]: 1 for unknown in equation})
            if row:
                lead = min(row)
                inverse = pow(row[lead], -1, PRIME)
                self._rows[lead] = {i: value * inverse % PRIME for i, value in row.items()}

    def gives(self, wanted: Iterable[Hashable]) -> bool:
        return not self._reduced({self._places[unknown]: 1 for unknown in wanted})

    def _reduced(self, row: dict[int, int]) -> dict[int, int]:
        for lead in sorted(self._rows):
            if factor := row.get(lead):
                for i, value in self._rows[lead].items():
                    row[i] = (row.get(i, 0) - factor * value) % PRIME
                    if not row[i]:
                        del row[i]
        return row


@st.composite
def systems(draw: st.DrawFn) -> dict[Atom, tuple[int, int]]:
    """Learners, and learners with evidence, by class and value of an attribute; levels may be empty."""
    sizes = st.one_of(st.integers(0, 12), st.integers(0, 40), st.just(0))
    found: dict[Atom, tuple[int, int]] = {}
    values = ["a", "b", "c"][: draw(st.integers(1, 3))]
    for region in range(draw(st.integers(1, 3))):
        for school in range(draw(st.integers(0, 2))):
            for class_ in range(draw(st.integers(0, 2))):
                place = Place(
                    f"r{region}" if region else "", "", f"s{school}", f"c{class_}" if class_ or school else ""
                )
                for value in values:
                    size = draw(sizes)
                    found[place, value] = (size, draw(st.integers(0, size)))
        if draw(st.booleans()):
            for value in values:
                found[Place(f"r{region}"), value] = (size := draw(sizes), draw(st.integers(0, size)))
    return found


def pupils_of(system: dict[Atom, tuple[int, int]]) -> list[Pupil]:
    return [
        Pupil(
            f"{place}/{value}/{i}", chain(place), (place,), {"band": value}, Activity(1, NOW, evidenced=i < evidenced)
        )
        for (place, value), (size, evidenced) in system.items()
        for i in range(size)
    ]


def ones(sizes: Iterable[int]) -> list[tuple[int, ...]]:
    return [(size,) for size in sizes]


Pick = Callable[[Figures], Figure]


@pytest.mark.parametrize("layer", [0, 1])
@given(system=systems())
@settings(max_examples=60, deadline=None)
def test_no_small_group_follows_from_all_reports_together(layer: int, system: dict[Atom, tuple[int, int]]) -> None:
    pick: Pick = (lambda f: f.learners) if layer == 0 else (lambda f: f.mean_mastery)
    pupils = pupils_of(system)
    known = {p.learner: KNOWN for p in pupils if p.activity and p.activity.evidenced}
    places = {Place(*place[:n]) if n < 4 else place for place, _ in system for n in range(5)}
    places = {step for place in places for step in chain(place)} & set(scopes(pupils).values())
    atoms = [(p.places[0], p.attributes["band"]) for p in pupils]
    sizes = {atom: (atoms.count(atom), system[atom][1])[layer] for atom in system}
    equations: list[set[Atom]] = []
    for place in places:
        report = build(place, pupils, known, NOW, Frameworks())
        equations += shown(report, place, system, pick)
    span = Span(system, equations)
    wanted = [(place, value) for place in places for value in (None, "a", "b", "c")]
    for place, value in wanted:
        group = inside(system, place, value)
        if 0 < sum(sizes[atom] for atom in group) < THRESHOLD:
            assert not span.gives(group), (place, value)


def inside(system: Iterable[Atom], place: Place, value: str | None) -> set[Atom]:
    return {a for a in system if place in chain(a[0]) and value in {None, a[1]}}


def shown(report: Report, place: Place, system: Iterable[Atom], pick: Pick) -> list[set[Atom]]:
    """What a reader learns: each figure is the sum over its atoms; an absent group says that all its atoms are 0."""
    equations: list[set[Atom]] = []
    if not pick(report.figures).suppressed:
        equations.append(inside(system, place, None))
    for child in report.children:
        if not pick(child.figures).suppressed:
            below = next((p for a in system for p in chain(a[0]) if p.scope == child.scope), None)
            equations.append(inside(system, below, None) if below else {a for a in system if a[0] == place})
    for gap in report.gaps:
        for group in gap.groups:
            figure = pick(group.figures)
            atoms = inside(system, place, group.value)
            if not figure.suppressed:
                equations += [{a} for a in atoms] if figure.counted == 0 else [atoms]
        listed = {group.value for group in gap.groups}
        equations += [{a} for value in {"a", "b", "c"} - listed for a in inside(system, place, value)]
    return [e for e in equations if e]

"""The Open University's data set through the whole stack: what the services count is what the files hold.

The expected counts are taken from the files here, by the csv module alone. The files are not part of the project:
TRELLIS_OULAD_DIR names their folder, else ../shared/data/oulad beside the checkout is looked at.
"""

from __future__ import annotations

import csv
import gzip
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from cli.oulad import importing
from cli.oulad.importing import Options, Outcome, Target
from devstack.paths import root
from devstack.stack import Stack

from tests.support.driving import House, eventually

SAMPLE_ROWS = 2_000
REPEATED_ROWS = 1_000
LOOKS = 6
QUIET_SECONDS = 2.0
SETTLED_SECONDS = 300
SETTLED_SECONDS_FULL = 3_600


def _folder() -> Path:
    given = os.environ.get("TRELLIS_OULAD_DIR")
    return Path(given) if given else root().parent / "shared" / "data" / "oulad"


needs_files = pytest.mark.skipif(
    not (_folder() / "studentAssessment.csv.gz").exists() and not (_folder() / "studentAssessment.csv").exists(),
    reason=f"the Open University data set is not in {_folder()}: TRELLIS_OULAD_DIR names another folder",
)


@dataclass(frozen=True)
class Counts:
    """What the services say, or should say."""

    statements: int  # ingest
    learners: int  # ingest
    evidence: int  # learner_profile
    profiles: int  # learner_profile
    roster: int  # insights
    states: int  # insights
    folded: int  # insights: the statements that its states reflect

    def __sub__(self, other: Counts) -> Counts:
        return self._with(other, lambda mine, its: mine - its)

    def __add__(self, other: Counts) -> Counts:
        return self._with(other, lambda mine, its: mine + its)

    def _with(self, other: Counts, change: Callable[[int, int], int]) -> Counts:
        its = asdict(other)
        return Counts(**{name: change(mine, its[name]) for name, mine in asdict(self).items()})


def _table(name: str) -> list[dict[str, str]]:
    plain = _folder() / f"{name}.csv"
    if plain.exists():
        with plain.open(newline="") as file:
            return list(csv.DictReader(file))
    with gzip.open(_folder() / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def _rows(limit: int | None) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Submissions, and enrolments: with a limit those that the submissions belong to."""
    submissions = list(islice(_table("studentAssessment"), limit))
    enrolments = _table("studentInfo")
    if limit is None:
        return submissions, enrolments
    where = {row["id_assessment"]: (row["code_module"], row["code_presentation"]) for row in _table("assessments")}
    belonging = {(*where[row["id_assessment"]], row["id_student"]) for row in submissions}
    keys = ("code_module", "code_presentation", "id_student")
    return submissions, [row for row in enrolments if tuple(row[key] for key in keys) in belonging]


def expected(limit: int | None) -> Counts:
    """A registration and a result for each enrolment; two statements for each submission with a score, else one."""
    submissions, enrolments = _rows(limit)
    scored = sum(row["score"] not in {"", "?"} for row in submissions)
    statements = 2 * len(enrolments) + scored + len(submissions)
    students = {row["id_student"] for row in (*submissions, *enrolments)}
    rostered = {row["id_student"] for row in enrolments}
    return Counts(
        statements=statements,
        learners=len(students),
        evidence=statements,
        profiles=len(students),
        roster=len(rostered),
        states=len(students),
        folded=statements,
    )


def _counts(house: House) -> Counts:
    ingest, profiles, insights = (house.stats(name) for name in ("ingest", "learner_profile", "insights"))
    return Counts(
        statements=ingest["statements"],
        learners=ingest["learners"],
        evidence=profiles["evidence"],
        profiles=profiles["learners"],
        roster=insights["roster"],
        states=insights["states"],
        folded=insights["statements"],
    )


def _settled(house: House, seconds: float) -> Counts:
    """The counts when nothing is on its way: the outbox is empty, no learner waits, and the counts stay."""
    last: list[Counts] = []

    def still() -> Counts | None:
        if house.stats("ingest")["outbox"] or house.stats("learner_profile")["dirty"]:
            last.clear()
        last.append(_counts(house))
        time.sleep(QUIET_SECONDS / LOOKS)
        return last[-1] if last[-LOOKS:] == last[-1:] * LOOKS else None

    found: Counts = eventually(still, seconds=seconds, what="that nothing is on its way")
    return found


class Quiet:
    """Is told, and says nothing."""

    def says(self, line: str) -> None: ...

    def total(self, statements: int) -> None: ...

    def advanced(self, statements: int) -> None: ...


def _import(stack: Stack, state: Path, limit: int | None) -> Outcome:
    options = Options(state=state, limit=limit)
    return importing.run(_folder(), Target.of(stack.description()), options, Quiet())


def _report(house: House, as_of: str) -> dict[str, Any]:
    answer = house.get("insights", "/reports/nation", as_of=as_of)
    return dict(answer.raise_for_status().json())


def _check(stack: Stack, house: House, state: Path, limit: int | None, *, again: int | None, seconds: float) -> None:
    wanted = expected(limit)
    before = _settled(house, seconds)
    outcome = _import(stack, state, limit)
    print(f"{outcome.statements:,} statements acknowledged, {outcome.rate:,.0f} a second")
    assert (outcome.refusals, outcome.not_recorded) == ((), 0)
    assert outcome.accepted == outcome.statements == wanted.statements
    reached = before + wanted
    eventually(lambda: _counts(house) == reached, seconds=seconds, what=f"{reached}, from {before}")
    assert _settled(house, seconds) == reached
    _check_report(house, outcome)
    assert _import(stack, state, again).refusals == ()
    assert _settled(house, seconds) == reached


def _check_report(house: House, outcome: Outcome) -> None:
    """The nation's figures at the end of the last presentation are over the whole roster."""
    report = _report(house, str(outcome.as_of))
    roster = house.stats("insights")["roster"]
    figures = report["figures"]
    assert figures["learners"]["value"] == figures["statements"]["denominator"] == roster
    assert {gap["attribute"] for gap in report["gaps"]} >= {"deprivation_band", "disability", "gender"}


@needs_files
def test_a_sample_arrives_once(stack: Stack, house: House, tmp_path: Path) -> None:
    _check(stack, house, tmp_path / "state", SAMPLE_ROWS, again=REPEATED_ROWS, seconds=SETTLED_SECONDS)


@needs_files
@pytest.mark.long
def test_everything_arrives_once(own_stack: Stack, tmp_path: Path) -> None:
    """On a stack of its own: the sample above would be a part of it."""
    with House.of(own_stack) as house:
        _check(own_stack, house, tmp_path / "state", None, again=None, seconds=SETTLED_SECONDS_FULL)

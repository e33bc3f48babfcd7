"""The data set in the demo: imported into a stack of its own, with three of its students to tell of."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from devstack.demo import Advance, House, Person, Played, Screen, Show
from devstack.errors import StackError

from cli.oulad.dataset import Dataset, load
from cli.oulad.importing import Options, Outcome, Target, import_folder
from cli.oulad.statements import STUDENTS

REFUSALS_SHOWN: Final = 10
COUNTED_WITHIN_SECONDS: Final = 3600.0


def show(folder: Path, limit: int | None = None) -> Show:
    """Import the folder in the place of a simulated class."""

    async def play(house: House, screen: Screen) -> Played:
        return await _play(folder, limit, house, screen)

    return Show(play, sample_catalog=False, measured_beside=False)


async def _play(folder: Path, limit: int | None, house: House, screen: Screen) -> Played:
    data = await asyncio.to_thread(load, folder, limit=limit)
    with ExitStack() as stack:
        options = Options(state=Path(stack.enter_context(_folder())) / "progress", limit=limit)
        outcome = await import_folder(folder, Target.of(house.description), options, _Bar(screen, stack))
    _tell(screen, outcome)
    screen.line("waiting until every statement is counted")
    await house.settled(seconds=COUNTED_WITHIN_SECONDS)
    people = [await _person(house, data, student) for student in _three(data)]
    end = outcome.as_of
    return Played(people, "before the import", datetime.combine(end, time_of_day(), UTC) if end else None)


def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="trellis-oulad-")


class _Bar:
    """The import's progress on the demo's screen."""

    def __init__(self, screen: Screen, stack: ExitStack) -> None:
        self._screen = screen
        self._stack = stack
        self._advance: Advance | None = None

    def says(self, line: str) -> None:
        self._screen.line(line)

    def total(self, statements: int) -> None:
        self._advance = self._stack.enter_context(self._screen.bar("statements", statements))

    def advanced(self, statements: int) -> None:
        if self._advance is not None:
            self._advance(statements)


def _tell(screen: Screen, outcome: Outcome) -> None:
    rows = ", ".join(f"{count} of {file}" for file, count in outcome.read.items())
    screen.line(f"rows read: {rows}")
    screen.line(
        f"statements: {outcome.accepted} accepted, {outcome.not_recorded} not recorded, "
        f"{len(outcome.refusals)} rows or statements refused, {outcome.rate:.0f} a second"
    )
    for refusal in outcome.refusals[:REFUSALS_SHOWN]:
        screen.line(f"  {refusal}")


def _three(data: Dataset) -> list[str]:
    """Of the students with most submissions: the best, one in the middle, the weakest by their mean score."""
    submissions = Counter(row.student for row in data.submissions)
    busiest = sorted(submissions, key=lambda student: (-submissions[student], student))[:99]
    if len(busiest) < 3:
        raise StackError("the data holds too few students to tell of three")
    scores: dict[str, list[float]] = {student: [] for student in busiest}
    for row in data.submissions:
        if row.student in scores and row.score is not None:
            scores[row.student].append(float(row.score))
    ordered = sorted(busiest, key=lambda s: (-sum(scores[s]) / max(1, len(scores[s])), s))
    return [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


async def _person(house: House, data: Dataset, student: str) -> Person:
    actor = {"objectType": "Agent", "account": {"homePage": STUDENTS, "name": student}}
    presentations = sorted({str(row.presentation) for row in data.enrolments if row.student == student})
    submitted = sum(row.student == student for row in data.submissions)
    about = f"{' and '.join(presentations) or 'no enrolment'}, {submitted} submissions"
    return Person(f"Student {student}", await house.learner_id(actor), about, ())

"""The simulated class: sixty pupils, three weeks, every statement over HTTP."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from devstack.demo.attempts import statements
from devstack.demo.house import House, good
from devstack.demo.played import Person, Played, mastered
from devstack.demo.pupils import Mind
from devstack.demo.school import Pupil, pupils, roster
from devstack.demo.screen import Advance, Screen
from devstack.errors import StackError

SESSIONS: Final = 9
FIRST: Final = 3
DAYS_BETWEEN: Final = 21 / SESSIONS
STATEMENTS_A_SECOND: Final = 200
AT_ONCE: Final = 8
OFFERED: Final = 3


@dataclass
class Desk:
    """One pupil at work."""

    pupil: Pupil
    learner_id: str
    mind: Mind
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def leaves(self) -> bool:
        """Does not come back after the first week."""
        return self.pupil.number % 12 == 7

    @property
    def grown(self) -> int:
        return len(self.after) - len(self.before)


class Pace:
    """Lets through so many statements a second, evenly."""

    def __init__(self, a_second: float) -> None:
        self._gap = 1.0 / a_second
        self._free_at = 0.0

    async def wait(self, count: int) -> None:
        now = time.monotonic()
        at = max(now, self._free_at)
        self._free_at = at + count * self._gap
        await asyncio.sleep(at - now)


async def play(house: House, screen: Screen) -> Played:
    """Enrol all, let them work for three weeks that end now, tell of three."""
    members = pupils()
    headers = {"Content-Type": "text/csv"}
    good(await house.ask("POST", "insights", "/rosters/import", content=roster(members), headers=headers))
    catalog = await house.catalog()
    fields = sorted({competency.split("/")[0] for activity in catalog for competency in activity["competencies"]})
    screen.line(
        f"{len(members)} pupils in five classes, a catalog of {len(catalog)} activities in {len(fields)} fields"
    )
    desks = [Desk(p, await house.learner_id(p.actor), Mind.born(p.number, fields)) for p in members]
    end = datetime.now(UTC)
    times = [end - timedelta(days=DAYS_BETWEEN) * (SESSIONS - number) for number in range(SESSIONS)]
    work = Work(house, catalog, Pace(STATEMENTS_A_SECOND))
    await work.sessions(screen, "The first week", desks, times[:FIRST])
    await house.settled()
    for desk in desks:
        desk.before = tuple(mastered(await house.profile(desk.learner_id, as_of=times[FIRST])))
    staying = [desk for desk in desks if not desk.leaves]
    await work.sessions(screen, "Two weeks more", staying, times[FIRST:])
    await house.settled()
    for desk in desks:
        desk.after = tuple(mastered(await house.profile(desk.learner_id)))
    screen.line(f"{work.posted} statements posted and acknowledged")
    return Played([_person(desk) for desk in _three(desks)], "after the first week")


class Work:
    """Posts what the pupils do."""

    def __init__(self, house: House, catalog: list[dict[str, Any]], pace: Pace) -> None:
        self._house = house
        self._catalog = catalog
        self._pace = pace
        self._seats = asyncio.Semaphore(AT_ONCE)
        self.posted = 0

    async def sessions(self, screen: Screen, title: str, desks: list[Desk], times: list[datetime]) -> None:
        """Everyone works at each of these times; those of one pupil in order."""
        with screen.bar(f"{title}: sessions", len(desks) * len(times)) as advance:
            try:
                async with asyncio.TaskGroup() as group:
                    for desk in desks:
                        group.create_task(self._of_one(desk, times, advance))
            except* StackError as several:
                raise several.exceptions[0] from None

    async def _of_one(self, desk: Desk, times: list[datetime], advance: Advance) -> None:
        for at in times:
            async with self._seats:
                await self._session(desk, at + timedelta(minutes=desk.mind.random.uniform(0, 600)))
            advance()

    async def _session(self, desk: Desk, at: datetime) -> None:
        """One or two activities, chosen from what is recommended at that time."""
        for _ in range(1 + (desk.mind.random.random() < 0.6)):
            offered = await self._house.recommendations(desk.learner_id, limit=OFFERED, as_of=at)
            attempt = desk.mind.attempt(desk.mind.choose([item["activity"] for item in offered], self._catalog))
            at += timedelta(seconds=attempt.seconds)
            made = statements(desk.pupil.actor, attempt, at)
            await self._pace.wait(len(made))
            await self._house.post_statements(made)
            self.posted += len(made)
        desk.mind.rest(DAYS_BETWEEN)


def _three(desks: list[Desk]) -> list[Desk]:
    """Who came furthest, someone in the middle, and whoever wandered furthest off."""
    ordered = sorted(
        (desk for desk in desks if not desk.leaves), key=lambda desk: (-desk.grown, -len(desk.after), desk.pupil.number)
    )
    followers = [desk for desk in ordered if desk.mind.follows > 0.5]
    wanderers = [desk for desk in ordered if desk.mind.follows <= 0.5]
    return [followers[0], followers[len(followers) // 2], wanderers[0]]


def _person(desk: Desk) -> Person:
    way = "mostly follows what is recommended" if desk.mind.follows > 0.5 else "mostly wanders"
    about = f"class {desk.pupil.classroom[0]} of {desk.pupil.classroom[1]}, {way}"
    return Person(desk.pupil.name, desk.learner_id, about, desk.before)

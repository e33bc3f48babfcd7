"""Engagement as regularity: on which days something was done, never how much of it.

The state keeps the last seven weeks, about half a term, as one bit a day; a day counts once however many clicks it
held. That regular study goes with success, and that counts of clicks say little, is shown in Boroujeni, Sharma,
Kidziński, Lucignano & Dillenbourg 2016, "How to quantify student's regularity?", EC-TEL, LNCS 9891:277-291.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from learner_model.state import Days

WEEKS: Final = 7
DAYS: Final = 7 * WEEKS
_DAY: Final = 86_400
_ALL: Final = (1 << DAYS) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementView:
    """How regularly something was done in the last seven weeks, or since the first evidence where that is less.

    `regularity`: the share of those weeks (of seven days, counted back from now) with something done, None in the first
    week; `days_a_week`: days with something done, in the weeks that had any, on the mean, a week watched in part
    counting in part; `longest_pause_days`: days in a row without anything, until now too.
    """

    weeks: int
    active_weeks: int
    active_days: int
    regularity: float | None
    days_a_week: float | None
    longest_pause_days: int


def days_after(days: Days, at: int) -> Days:
    """With something done at that time (seconds since the epoch), which is not before the last one."""
    today = at // _DAY
    if not days.bits:
        return Days(today, today, 1)
    past = today - days.last
    return Days(days.first, today, ((days.bits << past) & _ALL if past < DAYS else 0) | 1)


def engagement(days: Days, as_of: datetime) -> EngagementView:
    """As seen at a time; one before the last evidence counts as that."""
    today = max(int(as_of.timestamp()) // _DAY, days.last)
    active = _ago(days, today)
    watched = min(DAYS, today - days.first + 1) if days.bits else 0
    weeks = -(-watched // 7)
    found = {ago // 7 for ago in active}
    seen = sum(min(7, watched - 7 * week) for week in found) if weeks > 1 else 7
    return EngagementView(
        weeks=weeks,
        active_weeks=len(found),
        active_days=len(active),
        regularity=round(len(found) / weeks, 4) if weeks > 1 else None,
        days_a_week=round(7 * len(active) / seen, 2) if found else None,
        longest_pause_days=max((b - a - 1 for a, b in pairwise([-1, *active, watched])), default=0),
    )


def _ago(days: Days, today: int) -> list[int]:
    """How many days ago something was done, the latest first."""
    late = today - days.last
    return [late + n for n in range(DAYS - late) if days.bits >> n & 1]

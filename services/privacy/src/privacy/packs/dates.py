"""Periods and ages as calendars count them. Pure."""

import calendar
from datetime import date, datetime
from typing import TypeVar

D = TypeVar("D", date, datetime)


def months_after(start: D, months: int) -> D:
    """The same day so many months on, or that month's last day where it has no such day (Regulation 1182/71, 3(2)(c)).

    A deadline on a holiday is not moved to the next working day: the earlier one keeps both readings of the law.
    """
    number = start.year * 12 + start.month - 1 + months
    year, month = divmod(number, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))


def birthday(born: date, age: int) -> date:
    """The day on which someone reaches an age; born on 29 February, the first of March of a common year."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def age_on(born: date, day: date) -> int:
    """Whole years."""
    return day.year - born.year - (day < birthday(born, day.year - born.year))

"""What a rule says, and what that means at a moment. Pure.

A rule takes what is older than it says; several ages that stand in one rule must all have passed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal

from events.payloads import RetentionAction, RetentionOrder, Selection

from privacy.packs.dates import months_after

Service = Literal["ingest", "learner_profile", "recommendation", "insights"]
COPIES: Final[tuple[Service, ...]] = ("recommendation", "insights")
"""Hold copies of what others have made: they act first, or what the others do would come before them."""
SERVICES: Final[tuple[Service, ...]] = (*COPIES, "learner_profile", "ingest")
PURPOSES_OF: Final[Mapping[Service, tuple[str, ...]]] = {
    "ingest": ("record",),
    "learner_profile": ("profile",),
    "recommendation": ("recommend",),
    "insights": ("teach", "insights"),
}
MOST_COURSES: Final = 1000
_DURATION: Final = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`stored_for`, `inactive_for`, `after_course_end`: ISO 8601 durations, at least one of them.

    `active`: it runs every `every_days` days; an inactive one runs when it is told to. `recipients`: what those outside
    get who have what goes: a signed notice, or also (targets of forwardings) voiding statements.
    """

    id: str
    version: int
    name: str
    reason: str
    action: RetentionAction
    services: tuple[Service, ...] = SERVICES
    verbs: tuple[str, ...] = ()
    activity_types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    stored_for: str | None = None
    inactive_for: str | None = None
    after_course_end: str | None = None
    active: bool = False
    every_days: float = 1.0
    recipients: Literal["notice", "void"] = "notice"
    changed_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes whose data it takes."""
        return tuple(dict.fromkeys(purpose for service in self.services for purpose in PURPOSES_OF[service]))

    @property
    def is_whole(self) -> bool:
        """Whether it takes everything of that age."""
        return not (self.verbs or self.activity_types or self.tags or self.after_course_end)

    @property
    def after(self) -> str:
        """When it takes what it takes, in words."""
        said = [
            self.stored_for,
            self.inactive_for and f"{self.inactive_for} after the learner's last activity",
            self.after_course_end and f"{self.after_course_end} after the end of the course",
        ]
        return ", and ".join(one for one in said if one)


def ago(at: datetime, duration: str) -> datetime:
    """The time so long before; months as calendars count them. Raises `ValueError`."""
    found = _DURATION.fullmatch(duration)
    if found is None or duration.endswith(("P", "T")):
        raise ValueError("expected an ISO 8601 duration such as P3Y or P6M")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    try:
        return months_after(at, -(12 * years + months)) - timedelta(
            weeks=weeks, days=days, hours=hours, minutes=minutes
        )
    except (OverflowError, ValueError):
        raise ValueError("expected a duration within the calendar") from None


def selection_of(rule: Rule, as_of: datetime, courses: Mapping[str, date]) -> Selection | None:
    """Which records the rule takes at that time; None: no course ended long enough ago. `courses`: when each ended."""
    ended: tuple[str, ...] = ()
    if rule.after_course_end is not None:
        until = ago(as_of, rule.after_course_end).date()
        ended = tuple(sorted(course for course, end in courses.items() if end <= until))
        if not ended:
            return None
    return Selection(
        stored_before=ago(as_of, rule.stored_for) if rule.stored_for else None,
        inactive_since=ago(as_of, rule.inactive_for) if rule.inactive_for else None,
        verbs=rule.verbs,
        activity_types=rule.activity_types,
        tags=rule.tags,
        activities=ended,
    )


def stages_of(services: Iterable[str]) -> list[list[str]]:
    """Who acts after whom: copies before what they were made of."""
    asked = set(services)
    stages: list[list[str]] = [
        [one for one in SERVICES if one in asked and (one in COPIES) == copies] for copies in (True, False)
    ]
    return [stage for stage in stages if stage]


def portions(count: int) -> list[tuple[str, str | None]]:
    """Ranges of learner_ids, random hexadecimal: from, up to (None: the last). `count` is a power of 16."""
    digits = 0
    while 16**digits < count:
        digits += 1
    edges = ["", *(f"{number:0{digits}x}" for number in range(1, count))]
    return list(zip(edges, [*edges[1:], None], strict=True))


def orders(
    rule: Rule, selection: Selection, preview: bool, ranges: Sequence[tuple[str, str | None]]
) -> list[RetentionOrder]:
    """One for each portion."""
    return [
        RetentionOrder(
            portion=number,
            services=rule.services,
            first=first,
            behind=behind,
            action=rule.action,
            selection=selection,
            preview=preview,
            void_outside=rule.recipients == "void",
        )
        for number, (first, behind) in enumerate(ranges)
    ]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run has taken, and left and why, by service."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    kept: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return sum(sum(one.values()) for one in self.counts.values())


def limits(rules: Iterable[Rule], purpose: str) -> list[Rule]:
    """The rules in force that bound how long data of a purpose is kept."""
    return [rule for rule in rules if rule.active and rule.ended_at is None and purpose in rule.purposes]


def retention_of(rules: Iterable[Rule], purpose: str, stated: str | None) -> str | None:
    """The retention period of a purpose: what the rules do to everything of it, else what the policy states."""
    found = [rule.after for rule in limits(rules, purpose) if rule.is_whole]
    return "; ".join(sorted(set(found))) or stated

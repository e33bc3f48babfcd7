"""The time at which forgetting and idleness are reckoned, as callers write it."""

import re
from datetime import UTC, datetime, time
from typing import Final

from service_kit.problems import BadRequest

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+ -]\d{2}:\d{2})")


def as_of(text: str | None, now: datetime) -> datetime:
    """RFC 3339, or a date alone: its end in UTC. Nothing: now. Raises `BadRequest`."""
    if not text:
        return now
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(datetime.fromisoformat(text).date(), time(23, 59, 59), UTC)
        if found := _TIME.fullmatch(text):
            day, hour, zone = found.groups()
            zone = zone.upper().replace("Z", "+00:00").replace(" ", "+")  # "+" unquoted in a query reads as a space
            return datetime.fromisoformat(f"{day}T{hour}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    place = {"pointer": "/query/as_of", "detail": "RFC 3339, such as 2026-01-31T00:00:00Z"}
    raise BadRequest("`as_of` is not a time in RFC 3339", errors=[place])

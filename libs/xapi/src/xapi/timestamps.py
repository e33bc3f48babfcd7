"""Time stamps: ISO 8601 (1.0.3 Data 4.5), RFC 3339 (2.0)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# The calendar forms of ISO 8601, extended or basic; a date alone, week dates and ordinal dates are refused.
_ISO: Final = re.compile(
    r"(?P<minute>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d|\d{8}[Tt]\d{4})"
    r"(?P<second>:?\d\d)?(?P<fraction>[.,]\d+)?(?P<offset>[Zz]|[+-]\d\d(?::?[0-5]\d)?)?\Z",
    re.ASCII,
)
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_NEGATIVE_ZERO: Final = frozenset({"-00", "-0000", "-00:00"})


# Nearly all of them: valid in both dialects, of a day that every month has.
_PLAIN: Final = re.compile(
    r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:Z|[+](?:0\d|1[0-4]):[0-5]\d)\Z",
    re.ASCII,
)


def check(text: str, *, rfc3339: bool) -> None:
    """Raise ValueError with the reason unless it is a time stamp."""
    if _PLAIN.match(text) is None:
        parse(text, rfc3339=rfc3339)


def parse(text: str, *, rfc3339: bool = False) -> datetime:
    """An aware UTC datetime; raises ValueError with the reason. Digits beyond microseconds are cut off.

    Without an offset it is read as UTC (1.0.3 Data 4.5 recommends one, and demands none); RFC 3339, which 2.0 demands,
    knows no time without seconds and offset. A leap second counts as the first moment of the next minute.
    """
    if _PLAIN.match(text) is not None:
        return datetime.fromisoformat(text).astimezone(UTC)
    found = _ISO.match(text)
    if found is None:
        raise ValueError("expected an ISO 8601 date and time such as 2026-02-03T04:05:06.789Z, found other text")
    if found["offset"] in _NEGATIVE_ZERO:
        raise ValueError("the offsets -00, -0000 and -00:00 are refused; expected Z or +00:00")
    if rfc3339 and _RFC_3339.match(text) is None:
        raise ValueError("expected RFC 3339: a date and time with seconds and an offset (Z or ±hh:mm)")
    return _moment(found)


def _moment(found: re.Match[str]) -> datetime:
    second, offset = found["second"] or "", found["offset"] or "Z"
    if found["fraction"] and not second:
        raise ValueError("expected a fraction of seconds only, found a fraction of minutes")
    leap = second.endswith("60")
    text = found["minute"].replace(" ", "T") + second.replace("60", "59") + (found["fraction"] or "") + offset
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
        return moment.replace(microsecond=0) + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        raise ValueError("expected a date and time that exist, found one that does not") from None


def render(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly six digits and Z, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"

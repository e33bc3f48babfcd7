"""ISO 8601 durations in the format with designators (4.4.3.2; 1.0.3 Data 4.6)."""

import re
from functools import lru_cache
from typing import Final

_N: Final = r"(\d+(?:[.,]\d+)?)"
_DURATION: Final = re.compile(
    rf"P(?:{_N}W|(?=\d|T\d)(?:{_N}Y)?(?:{_N}M)?(?:{_N}D)?(?:T(?=\d)(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?)\Z", re.ASCII
)
_YEAR: Final = 365.25 * 86400
_SECONDS: Final = (7 * 86400, _YEAR, _YEAR / 12, 86400, 3600, 60, 1)
_SECOND_DECIMALS: Final = re.compile(r"[.,](\d{1,2})\d*S\Z", re.ASCII)


_PLAIN: Final = re.compile(r"PT(?:\d+H)?(?:\d+M)?\d+(?:\.\d+)?S\Z", re.ASCII)


def check(text: str) -> None:
    """Raise ValueError with the reason unless it is a duration."""
    if _PLAIN.match(text) is None:  # nearly all of them are
        seconds(text)


@lru_cache(maxsize=4096)
def seconds(text: str) -> float:
    """The duration in seconds (a year as 365.25 days, a month as its twelfth); raises ValueError with the reason.

    Weeks stand alone ("P4W1D" is refused, Data 4.6), and only the last part may have a fraction (ISO 8601 4.4.3.2).
    """
    found = _DURATION.match(text)
    if found is None:
        raise ValueError("expected an ISO 8601 duration with designators such as PT1H30M or P4W, found other text")
    parts = [(part.replace(",", "."), unit) for part, unit in zip(found.groups(), _SECONDS, strict=True) if part]
    if any("." in part for part, _ in parts[:-1]):
        raise ValueError("only the last part of an ISO 8601 duration may have a fraction")
    return sum(float(part) * unit for part, unit in parts)


def comparable(text: str) -> str:
    """The text without what is finer than 0.01 s: that is left out of comparisons (1.0.3 Data 4.6; 2.0)."""
    return _SECOND_DECIMALS.sub(_two_decimals, text)


def _two_decimals(found: re.Match[str]) -> str:
    digits = found[1].rstrip("0")
    return f".{digits}S" if digits else "S"

"""RFC 3339 / ISO 8601 time stamps."""

from datetime import datetime


def parse(text: str) -> datetime:
    """An aware UTC datetime; raises ValueError with the reason. Digits beyond microseconds are cut off."""
    raise NotImplementedError


def render(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly six digits and Z, so that text sorts as time does."""
    raise NotImplementedError

"""Who a broken statement names, as well as it can be read: for leave, for the key that seals it, for erasure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from xapi import canonical_ifi
from xapi.errors import StatementInvalid
from xapi.parsing import parse_agent

_MOST: Final = 100
_IDENTIFIERS: Final = ("mbox", "mbox_sha1sum", "openid", "account")


@dataclass(frozen=True, slots=True)
class Names:
    """Canonical identifiers: everyone's, and those of whoever the statement seems to be about."""

    all: frozenset[str]
    subjects: tuple[str, ...]


def names_in(value: Any) -> Names:
    """At most 100 identifiers, wherever they stand. What has no readable identifier names no one."""
    everyone = list(dict.fromkeys(_identifiers(value)))[:_MOST]
    actor = value.get("actor") if isinstance(value, dict) else None
    subjects = [one for one in dict.fromkeys(_identifiers(actor)) if one in everyone]
    return Names(frozenset(everyone), tuple(subjects))


def _identifiers(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            yield from _of_object(one)
            stack += one.values()
        elif isinstance(one, list):
            stack += one


def _of_object(found: dict[str, Any]) -> Iterator[str]:
    """Each identifier by itself, so that one too many hides none; an address without `mailto:` is read with it."""
    for name in _IDENTIFIERS:
        if name not in found:
            continue
        text = found[name]
        if name == "mbox" and isinstance(text, str) and "@" in text and ":" not in text:
            text = f"mailto:{text}"
        try:
            agent = parse_agent({name: text})
        except StatementInvalid:
            continue
        if (ifi := canonical_ifi(agent)) is not None:
            yield ifi

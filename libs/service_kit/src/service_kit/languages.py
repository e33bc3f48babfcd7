"""Which of the languages of an answer its reader gets: negotiation by Accept-Language (RFC 9110 12.5.4)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Header, Response

T = TypeVar("T")
_MOST: Final = 20
"""Ranges that are read of a header."""

AcceptLanguage = Annotated[
    str | None, Header(alias="Accept-Language", description="languages of the words, the best that fits; else English")
]


def preferred(accepted: str | None, codes: Sequence[str]) -> str:
    """The code that suits the header best; the first where none does. `*` is any that the header does not name.

    >>> preferred("da, de-CH;q=0.8, en;q=0.7", ["en", "de"])
    'de'
    """
    ranges = [_range(part) for part in (accepted or "").split(",")[:_MOST]]
    named = {name for _, name in ranges}
    for weight, name in sorted(ranges, key=lambda one: -one[0]):
        fits = (
            [code for code in codes if code not in named] if name == "*" else [code for code in codes if code == name]
        )
        if weight > 0 and fits:
            return fits[0]
    return codes[0]


def _range(part: str) -> tuple[float, str]:
    """Its weight and its language in lower case; what is no range weighs nothing."""
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    try:
        weight = float(value) if key.strip().lower() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, name.strip().lower().partition("-")[0]


def told_in(code: str) -> dict[str, str]:
    """The headers of what is told in one of several languages (RFC 9110 8.5, 12.5.5)."""
    return {"Content-Language": code, "Vary": "Accept-Language"}


def in_language(languages: Mapping[str, T]) -> Callable[..., T]:
    """A dependency: the one of the languages, by code, that the reader gets; the answer's headers say which. The first
    is for readers of none of them.
    """

    def chosen(response: Response, accepted: AcceptLanguage = None) -> T:
        code = preferred(accepted, list(languages))
        response.headers.update(told_in(code))
        return languages[code]

    return chosen

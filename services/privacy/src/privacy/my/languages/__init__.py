"""The languages of a learner's page, and which one a reader gets."""

from typing import Final

from privacy.my.languages.de import GERMAN
from privacy.my.languages.en import ENGLISH
from privacy.my.languages.es import SPANISH
from privacy.my.languages.fr import FRENCH
from privacy.my.languages.language import Language, Told

__all__ = ["LANGUAGES", "Language", "Told", "preferred"]

LANGUAGES: Final = {one.code: one for one in (ENGLISH, GERMAN, FRENCH, SPANISH)}


def preferred(accepted: str | None) -> Language:
    """The best of these by the header Accept-Language (RFC 9110 12.5.4); English where none fits.

    >>> preferred("da, de-CH;q=0.8, en;q=0.7").code
    'de'
    """
    ranges = [_range(part) for part in (accepted or "").split(",")[:20]]
    for _, name in sorted((one for one in ranges if one[0] > 0), key=lambda one: -one[0]):
        if (found := LANGUAGES.get(name.partition("-")[0])) is not None:
            return found
    return ENGLISH


def _range(part: str) -> tuple[float, str]:
    """Its weight and its name in lower case; what is no range weighs nothing."""
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    try:
        weight = float(value) if key.strip().lower() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, name.strip().lower()

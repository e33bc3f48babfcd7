"""The languages of a learner's page."""

from typing import Final

from privacy.my.languages.de import GERMAN
from privacy.my.languages.en import ENGLISH
from privacy.my.languages.es import SPANISH
from privacy.my.languages.fr import FRENCH
from privacy.my.languages.language import Language, Told

__all__ = ["LANGUAGES", "Language", "Told"]

LANGUAGES: Final = {one.code: one for one in (ENGLISH, GERMAN, FRENCH, SPANISH)}

"""The languages in which an explanation is told."""

from typing import Final

from learner_profile.learners.languages.de import GERMAN
from learner_profile.learners.languages.en import ENGLISH
from learner_profile.learners.languages.es import SPANISH
from learner_profile.learners.languages.fr import FRENCH
from learner_profile.learners.languages.language import Counted, Language, Moved

__all__ = ["ENGLISH", "LANGUAGES", "Counted", "Language", "Moved"]

LANGUAGES: Final = {one.code: one for one in (ENGLISH, GERMAN, FRENCH, SPANISH)}

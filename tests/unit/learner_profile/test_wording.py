"""An explanation in several languages: each says everything, with the same numbers, and the first is English."""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from learner_model import EvidenceKind
from learner_model.overruling import Standing
from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, Judgement
from learner_profile.learners.explaining import Effect, Share, Step
from learner_profile.learners.languages import ENGLISH, LANGUAGES, Counted, Language, Moved
from learner_profile.learners.wording import (
    of_number,
    of_own_part,
    of_part,
    of_parts,
    of_row_aside,
    of_share,
    of_standing,
    of_step,
)
from msgspec.structs import replace

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROW = Row(
    Reading(
        statement_id="00000001-0000-4000-8000-000000000000",
        at=AT,
        stored=AT,
        activity_id="a",
        activity_title=None,
        parents=(),
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        correctness=1.0,
        completion=None,
        duration_seconds=None,
        weight=1.0,
        course=None,
    )
)
SAID = Judgement(act=Act.CONTESTED, at=AT, by="x", reason="no")
OTHERS = [language for code, language in LANGUAGES.items() if code != "en"]


SHARED = {"de": {"was"}, "fr": {"place", "questions"}, "es": set[str]()}
"""Words that are spelt as an English one in the table is."""


def sentences(language: Language) -> Iterator[tuple[str, str]]:
    """Every text of the table with where it stands."""
    for field in fields(language):
        held = getattr(language, field.name)
        if isinstance(held, Counted | Moved):
            yield from ((f"{field.name}.{part.name}", getattr(held, part.name)) for part in fields(held))
        elif isinstance(held, str) and field.name not in ("code", "decimal"):
            yield field.name, held


def places(text: str) -> set[str]:
    """Several things move the number in one language where one thing does in another."""
    return {name.replace("all_moved", "moved") for _, name, _, _ in string.Formatter().parse(text) if name}


def told(language: Language) -> list[str]:
    """Everything that the logic says, of counts and numbers of every kind."""
    judged = [
        (),
        (SAID,),
        (SAID, dataclasses.replace(SAID, act=Act.OVERRIDDEN)),
        (SAID, dataclasses.replace(SAID, act=Act.CONFIRMED)),
    ]
    rows = [replace(ROW, judgements=one) for one in judged]
    steps = [Step(row, effect, 0.4, after) for row in rows for effect in Effect for after in (0.525, 0.2751, 0.4)]
    shares = [share for share in Share if share is not Share.PARTS]
    return [
        *(of_share(share, moved, n, language) for share in shares for moved in (12.5, -3.2, 0.0) for n in (1, 3)),
        *(of_parts(0.333, known, children, language) for known, children in ((1, 1), (1, 3), (2, 3), (3, 3))),
        *(of_own_part(0.618, answers, language) for answers in (1, 4)),
        *(of_number(0.7654, answers, language) for answers in (1, 9)),
        of_part("Adding {fractions} 2.5", 0.5, 3, language),
        *(of_step(step, language) for step in steps),
        *(of_row_aside(row, language) for row in (*rows[1:3], replace(ROW, total=True), ROW)),
        *(of_standing(standing, language) for standing in Standing),
    ]


def numbers(text: str) -> list[str]:
    return sorted(one.replace(",", ".") for one in re.findall(r"\d+(?:[.,]\d+)?", text))


@pytest.mark.parametrize("language", OTHERS, ids=lambda one: one.code)
class TestEach:
    def test_says_everything_that_english_says(self, language: Language) -> None:
        assert [where for where, text in sentences(language) if not text.strip()] == []
        assert [(where, places(text)) for where, text in sentences(language)] == [
            (where, places(text)) for where, text in sentences(ENGLISH)
        ]

    def test_leaves_no_english(self, language: Language) -> None:
        english = set(re.findall(r"[a-z]{3,}", " ".join(text for _, text in sentences(ENGLISH)).lower()))
        ours = re.sub(r"\{\w+\}", "", " ".join(text for _, text in sentences(language)).lower())
        assert english & set(re.findall(r"\w{3,}", ours)) == SHARED[language.code]

    def test_says_the_same_numbers(self, language: Language) -> None:
        pairs = list(zip(told(language), told(ENGLISH), strict=True))
        assert [ours for ours, theirs in pairs if numbers(ours) != numbers(theirs)] == []
        assert all(re.search(r"[{}]", ours.replace("{fractions}", "")) is None for ours, _ in pairs)

    def test_writes_decimals_with_a_comma(self, language: Language) -> None:
        assert "12,5" in of_share(Share.START, 12.5, 0, language)
        assert not any(re.search(r"\d\.\d", one.replace("fractions} 2.5", "")) for one in told(language))

    def test_one_answer_is_not_several(self, language: Language) -> None:
        one, three = (of_share(Share.OWN, 3.0, answers, language) for answers in (1, 3))
        assert one == language.own.one.format(moved=language.moved.raised.format(points="3"))
        assert three == language.own.more.format(count=3, all_moved=language.all_moved.raised.format(points="3"))


def test_english_as_it_was() -> None:
    assert of_share(Share.START, 46.5, 0, ENGLISH) == "Everyone begins at 46.5 of 100."
    assert of_share(Share.LATELY, -1, 2, ENGLISH) == "How the last answers went, in any topic, lowered it by 1."
    assert of_share(Share.OWN, 12.5, 1, ENGLISH) == "The answer on this topic raised it by 12.5."
    assert of_share(Share.ABOVE, 0, 2, ENGLISH) == (
        "Answers on the larger topic around it left it where it was: they say a little about each part."
    )
    assert of_parts(0.4, 1, 3, ENGLISH) == "It consists of 3 parts. 1 of them is known so far, and stand at 40."
    assert of_step(Step(ROW, Effect.SEEN, 0.4, 0.4), ENGLISH) == "Looking at it left it where it was, at 40."
    assert of_step(Step(ROW, Effect.RIGHT, 0.4, 0.525), ENGLISH) == "A right answer raised it by 12.5, to 52.5."


def test_in_french_none_is_singular() -> None:
    assert of_share(Share.OWN, 0.0, 0, LANGUAGES["fr"]) == "La réponse sur ce sujet n’a pas changé le nombre."

"""A learner's page in several languages: each says everything, and each reader gets one."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from events.payloads import Policy
from privacy.my.languages import LANGUAGES, Language, Told
from privacy.my.picture import rules_since

ENGLISH = LANGUAGES["en"]
OTHERS = [language for code, language in LANGUAGES.items() if code != "en"]


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def told(language: Language) -> Iterator[tuple[str, Any, str]]:
    """Every text with where it stands."""
    for field in fields(language):
        held = getattr(language, field.name)
        for key, value in held.items() if isinstance(held, Mapping) else ():
            for text in (value.title, value.text, value.held) if isinstance(value, Told) else (value,):
                yield field.name, key, text
    yield "choice", "", language.choice


@pytest.mark.parametrize("language", OTHERS, ids=lambda one: one.code)
class TestEach:
    def test_says_everything_that_english_says(self, language: Language) -> None:
        ours = [(where, key, places(text)) for where, key, text in told(language)]
        assert ours == [(where, key, places(text)) for where, key, text in told(ENGLISH)]

    def test_says_it_in_its_own_words(self, language: Language) -> None:
        pairs = list(zip(told(language), told(ENGLISH), strict=True))
        assert all(text.strip() for (_, _, text), _ in pairs)
        assert [key for (_, key, text), (_, _, english) in pairs if text == english] == []

    def test_writes_dates(self, language: Language) -> None:
        assert len(set(language.months)) == 12
        written = {language.day(datetime(2026, month, 3, tzinfo=UTC)) for month in range(1, 13)}
        assert len(written) == 12
        assert all("3" in one and "2026" in one for one in written)


def test_since_when_a_purpose_rests_on_what_it_rests_on() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)

    def policy(version: int, **rules: tuple[str, str]) -> tuple[Policy, datetime]:
        purposes = {name: {"basis": basis, "unknown": unknown} for name, (basis, unknown) in rules.items()}
        made = Policy.model_validate({"version": version, "purposes": purposes})
        return made, first + timedelta(days=version)

    task, asked = ("public_task", "allowed"), ("consent", "denied")
    history = [policy(1, teach=task, record=task), policy(2, teach=asked, record=task), policy(3, record=task)]
    history += [policy(4, record=task, teach=asked)]
    assert {name: (at - first).days for name, at in rules_since(history).items()} == {"record": 1, "teach": 4}
    assert rules_since([]) == {}

"""How often an answer is right by chance, from the definition of its activity (xAPI 1.0.3 Data 2.4.4.1)."""

from __future__ import annotations

from typing import Any

import pytest
from learner_profile.evidence.items import guessing_in


def _choices(count: int, *patterns: str) -> dict[str, Any]:
    choices = [{"id": str(number)} for number in range(count)]
    return {"interactionType": "choice", "choices": choices, "correctResponsesPattern": list(patterns)}


@pytest.mark.parametrize(
    ("definition", "guessing"),
    [
        ({}, None),
        ({"interactionType": "true-false", "correctResponsesPattern": ["true"]}, 0.5),
        (_choices(4, "2"), 0.25),
        (_choices(4, "1", "2"), 0.5),
        (_choices(3, "0[,]2"), 1 / 7),
        (_choices(40, "0[,]2"), 1 / (2**20 - 1)),
        (_choices(4), None),
        (_choices(2, "0", "1"), None),
        (_choices(4, ""), None),
        (_choices(1, "0"), None),
        ({"interactionType": "choice"}, None),
        ({"interactionType": "choice", "choices": {"a": 1}, "correctResponsesPattern": ["a"]}, None),
        ({"interactionType": "choice", "choices": [1, 2], "correctResponsesPattern": "1"}, None),
        ({"interactionType": "choice", "choices": [1, 2], "correctResponsesPattern": [1]}, None),
        ({"interactionType": "sequencing", "choices": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}, 1 / 6),
        ({"interactionType": "matching", "source": [{"id": "a"}, {"id": "b"}], "target": [{"id": "1"}]}, 0.5),
        ({"interactionType": "numeric"}, 0.0),
        ({"interactionType": "fill-in"}, 0.0),
        ({"interactionType": "likert", "scale": [{"id": "a"}]}, None),
        ({"interactionType": "compound"}, None),
        ({"interactionType": ["choice"]}, None),
    ],
)
def test_by_chance(definition: dict[str, Any], guessing: float | None) -> None:
    assert guessing_in(definition) == guessing

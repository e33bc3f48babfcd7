"""Negotiation of the language of an answer."""

from __future__ import annotations

import pytest
from service_kit.languages import preferred


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("ja", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.5, es;q=0.7", "es"),
        ("ja, de;q=0.1", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de;q=x, es", "es"),
        ("ja, *;q=0.5, es;q=0.1", "en"),
        ("en;q=0, *", "de"),
        ("en;q=0, *;q=0", "en"),
        (";;,=,q=1;" * 2000, "en"),
    ],
)
def test_the_reader_gets_what_fits_best(accepted: str | None, code: str) -> None:
    assert preferred(accepted, ["en", "de", "fr", "es"]) == code

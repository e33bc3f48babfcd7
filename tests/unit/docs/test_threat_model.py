"""The threat model names tests and settings that exist, and answers every threat."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from scripts import reference

ROOT: Final = Path(__file__).parents[3]
TEXT: Final = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS: Final = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if re.match(r"\| [STRIDE] \|", line)]
SECTIONS: Final = [part.partition("\n") for part in TEXT.split("\n## ")[1:]]


def test_the_tests_exist() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", TEXT))
    assert len(named) > 20
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_the_settings_exist() -> None:
    named = set(re.findall(r"`(TRELLIS_[A-Z0-9_]+)`", TEXT))
    assert len(named) > 10
    assert sorted(named - reference.names()) == []


def test_every_threat_is_answered() -> None:
    assert len(ROWS) > 30
    unanswered = [row for row in ROWS if not re.search(r"`(tests/|TRELLIS_)|[Aa]ccepted, because", row[-1])]
    assert unanswered == []


def test_every_place_is_looked_at_from_all_sides() -> None:
    for title, _, body in SECTIONS[:3]:
        letters = set(re.findall(r"^\| ([STRIDE]) \|", body, re.MULTILINE))
        assert letters == set("STRIDE"), title

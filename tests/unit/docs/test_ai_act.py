"""The page on the AI Act names files, settings and commands that exist, and answers every article it promises to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from scripts import reference

ROOT: Final = Path(__file__).parents[3]
TEXT: Final = (ROOT / "docs" / "ai-act.md").read_text(encoding="utf-8")
ROWS: Final = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if re.match(r"\| (\d|Annex)", line)]
ARTICLES: Final = {9, 10, 11, 12, 13, 14, 15, 26, 27}
NEVER: Final = (
    "emotion",
    "mood",
    "sentiment",
    "stress",
    "anxiety",
    "depress",
    "mental",
    "motivat",
    "neurodiv",
    "autis",
    "adhd",
    "dyslex",
    "disabilit",
    "drop_?out",
    "attention",
    "gaze",
)


def test_every_file_exists() -> None:
    named = set(re.findall(r"`((?:tests|docs|contracts)/[^`]+|README\.md|CHANGELOG\.md)`", TEXT))
    assert len(named) > 40
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_every_setting_exists() -> None:
    named = set(re.findall(r"`(TRELLIS_[A-Z0-9_]+)`", TEXT))
    assert named <= reference.names()


def test_every_article_has_its_section_and_every_row_an_answer() -> None:
    sections = {int(number) for number in re.findall(r"^## Article (\d+)", TEXT, re.MULTILINE)}
    assert sections == ARTICLES
    assert len(ROWS) > 45
    unanswered = [row[0] for row in ROWS if not re.search(r"`[^`]+`|\*yours\*|above|below", row[-1])]
    assert unanswered == []


def test_every_endpoint_exists() -> None:
    contracts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "contracts" / "openapi").glob("*.json"))
    named = set(re.findall(r"`GET (/[a-z]+)", TEXT))
    assert named
    assert sorted(path for path in named if f'"{path}' not in contracts) == []


def test_no_contract_speaks_of_what_is_never_inferred() -> None:
    found = [
        (path.name, word)
        for path in (ROOT / "contracts").rglob("*.json")
        for word in NEVER
        if re.search(rf'"[^"]*{word}[^"]*"\s*:', path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert found == []

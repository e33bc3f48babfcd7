"""What a report about an emitter means, in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from cli.advice import Verdict, advice
from cli.main import app
from typer.testing import CliRunner

FINE: dict[str, Any] = {
    "credential": "key",
    "profile": "strict",
    "until": "2026-11-22T08:00:00Z",
    "requests": 3,
    "statements": 9,
    "stored": 9,
    "quarantined": 0,
    "not_recorded": 0,
    "refused_requests": 0,
    "without_id": 0,
    "without_timestamp": 0,
    "without_registration": 9,
    "oldest_seconds": 3.0,
    "newest_seconds": 0.0,
    "scaled_differs": 0,
    "verbs": [{"name": "http://adlnet.gov/expapi/verbs/answered", "count": 9}],
    "refused": [],
    "allowances": [],
    "actors": [{"name": "account", "count": 9}],
    "home_pages": [{"name": "https://lms.example.org", "count": 9}],
    "scores": [{"name": "scaled+raw+min+max", "count": 9}],
    "versions": [{"name": "1.0.3", "count": 3}],
}


def _named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "count": 1} for name in names]


def _wrong(report: dict[str, Any]) -> list[str]:
    return [line.text for line in advice(report) if line.verdict is Verdict.wrong]


def test_where_all_is_right_nothing_is_wrong() -> None:
    assert _wrong(FINE) == []
    assert any(line.verdict is Verdict.right for line in advice(FINE))


def test_nothing_came() -> None:
    (line,) = advice({**FINE, "requests": 0})
    assert line.verdict is Verdict.wrong
    assert "/xapi" in line.text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"actors": _named("mbox", "account")}, "two learners"),
        ({"home_pages": _named("http://a.example", "https://a.example")}, "home page"),
        ({"without_id": 2}, "profile moodle"),
        ({"without_timestamp": 2}, "no timestamp"),
        ({"newest_seconds": -7200.0}, "future"),
        ({"scores": _named("raw")}, "neither scaled nor raw"),
        ({"quarantined": 1}, "trellis quarantine list"),
        ({"refused_requests": 1}, "refused whole"),
        ({"profile": "cmi5"}, "no registration"),
        ({"refused": _named("/*/object/objectType: expected one of 'GroupActivity'")}, "open-edx"),
        ({"refused": _named("/*/object/definition/interactionType: expected")}, "profile h5p"),
        ({"refused": _named("/*/actor/mbox: expected")}, "empty in the LMS"),
        ({"refused": _named("/somewhere: else")}, "/somewhere"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_change(change: dict[str, Any], word: str) -> None:
    found = _wrong(FINE | change)
    assert len(found) == 1
    assert word in found[0]


def test_moodle_without_ids_is_right() -> None:
    assert _wrong(FINE | {"profile": "moodle", "without_id": 9}) == []


@pytest.mark.parametrize(
    "command",
    [
        ["quarantine", "list"],
        ["quarantine", "show", "x"],
        ["quarantine", "replay", "x"],
        ["quarantine", "replay", "--all"],
        ["check", "emitter", "--credential", "x"],
    ],
)
def test_where_ingest_is_away_one_line_says_so(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--url", "http://127.0.0.1:9", "--token", "t"])
    assert result.exit_code == 1
    assert "does not answer" in result.output


@pytest.mark.parametrize("arguments", [[], ["x", "--all"], ["--all", "--edit", "file"]])
def test_replay_takes_one_or_all(arguments: list[str]) -> None:
    result = CliRunner().invoke(
        app, ["quarantine", "replay", *arguments, "--url", "http://127.0.0.1:9", "--token", "t"]
    )
    assert result.exit_code == 1
    assert "name one ID" in result.output

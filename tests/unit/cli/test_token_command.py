"""`trellis token`."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
import typer
from cli.main import app
from cli.token import seconds
from typer.testing import CliRunner


def test_a_token_with_several_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_DATA", str(tmp_path))
    arguments = [
        "token",
        "--role",
        "teacher",
        "--role",
        "learner",
        "--learner",
        "l-1",
        "--tenant",
        "north",
        "--ttl",
        "1h",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert (claims["roles"], claims["learner"], claims["tenant"]) == (["teacher", "learner"], "l-1", "north")
    assert claims["exp"] - claims["iat"] == 3600


def test_an_unknown_role_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_DATA", str(tmp_path))
    assert CliRunner().invoke(app, ["token", "--role", "king"]).exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("90s", 90), ("30m", 1800), ("8h", 28_800), ("2d", 172_800)]
)
def test_durations(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "-1h", "1w"])
def test_other_words_are_no_durations(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)

"""docs/settings.md and docs/metrics.md say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from service_kit import metrics

from scripts import reference

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("path", "text"), reference.pages().items(), ids=lambda value: getattr(value, "name", ""))
def test_the_page_is_as_the_code(path: Path, text: str) -> None:
    assert path.read_text() == text, "`make contracts` writes it anew"


def test_every_variable_of_the_tools_is_documented() -> None:
    """Those that the local tools take from the environment (`trellis env` sets its own for a shell)."""
    given = {"TRELLIS_XAPI", "TRELLIS_KEY", "TRELLIS_SECRET", "TRELLIS_TOKEN"}
    sources = [*(ROOT / "libs/devstack/src").rglob("*.py"), *(ROOT / "libs/cli/src").rglob("*.py")]
    used = {name for path in sources for name in re.findall(r"TRELLIS_[A-Z_]+[A-Z]", path.read_text())}
    assert used - given <= reference.names() | {row[0] for row in reference.LOCAL}


def test_no_secret_has_a_default() -> None:
    secret = {s.name: s.default for s in reference.settings()["service_kit"] if s.danger.startswith("A secret")}
    assert {"TRELLIS_SERVICE_TOKEN", "TRELLIS_KAFKA_PASSWORD", "TRELLIS_AUDIT_PSEUDONYM_KEY"} < set(secret)
    assert "@" not in secret.pop("TRELLIS_MONGODB_URL")
    assert set(secret.values()) == {"empty"}


def test_every_metric_is_emitted_somewhere() -> None:
    named = {name: value for name, value in vars(metrics).items() if isinstance(value, metrics.Metric)}
    paths = [*(ROOT / "services").rglob("*.py"), *(ROOT / "libs/service_kit/src").rglob("*.py")]
    text = "\n".join(path.read_text() for path in paths if path.name != "metrics.py")
    assert [name for name in named if f"metrics.{name}" not in text] == []

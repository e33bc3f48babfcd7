"""`trellis demo` from outside: what it shows, and what it leaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

NEXT = re.compile(r"^    \S.*, because \S.*$", re.MULTILINE)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    data = tmp_path_factory.mktemp("demo")
    ended = subprocess.run(
        [str(Path(sys.executable).parent / "trellis"), "demo"],
        env={**os.environ, "TRELLIS_DATA": str(data), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr or ended.stdout
    return ended.stdout, data


@pytest.mark.long
class TestDemo:
    def test_tells_of_three_learners_with_three_reasons_each(self, shown: tuple[str, Path]) -> None:
        assert len(re.findall(r"^  mastered \(after the first week → now\): .+ → .+", shown[0], re.MULTILINE)) == 3
        assert len(NEXT.findall(shown[0])) == 9

    def test_tells_of_an_objection_and_an_erasure(self, shown: tuple[str, Path]) -> None:
        assert "the profile now answers 403, recommendations 403" in shown[0]
        for service in ("ingest", "insights", "learner_profile", "privacy", "recommendation"):
            assert re.search(rf"receipt of {service}: .*\d", shown[0])

    def test_ends_with_what_was_measured(self, shown: tuple[str, Path]) -> None:
        assert re.search(r"p50 \d+ ms, p99 \d+ ms \(\d+ measured\)", shown[0])
        assert re.search(r"Peak memory of everything: \d\.\d\d GB", shown[0])

    def test_keeps_the_report_and_nothing_else(self, shown: tuple[str, Path]) -> None:
        text, data = shown
        assert "mean mastery by home" in text
        assert "<svg" in (data / "demo" / "report.html").read_text()
        assert [path.name for path in (data / "demo").iterdir()] == ["report.html"]

    def test_leaves_no_process_behind(self, shown: tuple[str, Path]) -> None:
        folder = str(shown[1])
        left = [p.pid for p in psutil.process_iter(["cmdline"]) if folder in " ".join(p.info["cmdline"] or [])]
        assert left == []

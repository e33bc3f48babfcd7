"""schemathesis walks every operation of ingest's OpenAPI, with right and wrong input: nothing ends in a 500."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.lrs_client import Live, live
from tests.support.tokens import Tokens

ROOT = Path(__file__).resolve().parents[3]
LONG_REQUESTS = 20_000


@pytest.fixture
def ingest(environment: pytest.MonkeyPatch, tokens: Tokens) -> Iterator[Live]:
    with live(tokens) as one:
        yield one


def walk(ingest: Live, folder: Path, *options: str) -> dict[str, Any]:
    """The report of one run."""
    basic = base64.b64encode(":".join(ingest.auth).encode()).decode()
    config, report = folder / "schemathesis.toml", folder / "report.json"
    config.write_text(
        f'[[operations]]\ninclude-path-regex = "^/xapi/"\nheaders = {{ Authorization = "Basic {basic}" }}\n'
        f'[[operations]]\nexclude-path-regex = "^/xapi/"\nheaders = {{ Authorization = "{ingest.operator}" }}\n'
    )
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"{ingest.url}/openapi.json", "--checks", "not_a_server_error", "--continue-on-failure", "--no-shrink"]
    command += ["--suppress-health-check", "all", "--report", "json", "--report-json-path", str(report), *options]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.integration.ingest.openapi_hooks", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=folder, env=os.environ | hooks, capture_output=True, text=True, timeout=1800, check=False
    )
    assert report.exists(), run.stdout + run.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert (found["failures"], found["errors"]) == ([], []), run.stdout
    assert found["operations"]["selected"] == found["operations"]["tested"]
    return found


class TestWalk:
    def test_a_sample(self, ingest: Live, tmp_path: Path) -> None:
        # One worker: Python 3.11 cannot parse source in two threads at once, as Hypothesis does to describe a lambda.
        found = walk(ingest, tmp_path, "--phases", "fuzzing", "-n", "2", "--workers", "1", "--seed", "1")
        assert found["test_cases"]["generated"] > 50

    @pytest.mark.long
    def test_twenty_thousand_requests(self, ingest: Live, tmp_path: Path) -> None:
        sent, seed = 0, 1
        while sent < LONG_REQUESTS:
            mode = "all" if seed % 2 else "positive"  # what is valid goes deepest
            options = ["--phases", "examples,coverage,fuzzing", "-n", "150", "--mode", mode, "--seed", str(seed)]
            found = walk(ingest, tmp_path, *options)
            sent, seed = sent + found["test_cases"]["generated"], seed + 1
        print(f"{sent} requests")

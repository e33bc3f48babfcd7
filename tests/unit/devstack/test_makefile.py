"""`make help` tells every target in a line, and stays true."""

from __future__ import annotations

import re
import subprocess

from devstack.paths import root


def test_help_lists_every_target() -> None:
    text = (root() / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split())  # type: ignore[index]
    done = subprocess.run(["make", "-s", "help"], cwd=root(), capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert listed == targets
    assert {"demo", "test", "run", "up", "down", "lint", "clean"} <= listed

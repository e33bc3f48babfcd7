"""The demo: a simulated class, from statement to explained recommendation."""

from __future__ import annotations

from pathlib import Path

from devstack.errors import StackError


def run(*, data: str | None = None, folder: Path | None = None) -> None:
    """Show everything on a stack of its own (`data="oulad"` with the folder of the Open University's files)."""
    raise StackError("the demo is not here yet")

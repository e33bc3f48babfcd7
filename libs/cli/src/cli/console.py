"""How every command talks to people: one line for an error, tables for the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from devstack.errors import StackError
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What a person can act on ends the command with its one line and exit code 1."""
    try:
        yield
    except StackError as problem:
        err.print(f"trellis: {problem}", markup=False)
        sys.exit(1)
    except PermissionError as problem:
        err.print(f"trellis: may not write to {problem.filename}: it belongs to another user", markup=False)
        sys.exit(1)

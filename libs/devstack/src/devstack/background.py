"""`python -m devstack.background DATA ROLES`: the supervisor behind `trellis up`. Its last line tells why it ended."""

from __future__ import annotations

import sys
from pathlib import Path

from devstack.errors import StackError
from devstack.running import log_to_stderr, run
from devstack.stack import Stack


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _ready(_stack: Stack) -> None:
    _say("ready")


def main() -> int:
    """The exit code: 1 with one line where the stack could not start."""
    log_to_stderr()
    try:
        run(Path(sys.argv[1]), roles=sys.argv[2], progress=_say, ready=_ready)
    except StackError as problem:
        _say(str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

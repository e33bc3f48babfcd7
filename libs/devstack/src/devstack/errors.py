"""Errors a person can act on: the message is the one line that is shown.

StackError
├── Missing         something this machine lacks (Java, Maven, a processor's binary)
├── PortTaken       another program listens where one of ours should
├── CannotStart     a program ended, or was not ready in time
├── AlreadyRunning  this data directory has a running stack
└── NotRunning      this data directory has none
"""

from __future__ import annotations


class StackError(Exception):
    """What went wrong and what to do about it, in one line."""


class Missing(StackError):
    """This machine lacks something."""


class PortTaken(StackError):
    """Another program listens on a port that we need."""

    def __init__(self, port: int, what: str, remedy: str) -> None:
        super().__init__(f"port {port} ({what}) is taken by another program: {remedy}")
        self.port = port


class CannotStart(StackError):
    """A program ended at once or did not become ready in time."""


class AlreadyRunning(StackError):
    """A stack runs on this data directory."""


class NotRunning(StackError):
    """No stack runs on this data directory."""

"""A server whose data live in one folder: what mongod and Kafka have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from devstack.errors import CannotStart, PortTaken
from devstack.ports import is_free
from devstack.process import Child


class Server(ABC):
    """On the loopback interface, with a log of its own."""

    name: ClassVar[str]
    """As its users call it."""
    program: ClassVar[str]
    """As its process and its log are called."""

    def __init__(self, data: Path, port: int, *, log: Path | None, fixed: bool) -> None:
        """`fixed`: another port will not do."""
        self.data = data
        self.port = port
        self.child: Child | None = None
        self._log = log or data / f"{self.program}.log"
        self._fixed = fixed

    @abstractmethod
    def command(self) -> list[str]:
        """What is to be run, once the data are ready for it."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers, and can be worked with."""

    @abstractmethod
    def explain(self, output: str, log: Path) -> str | None:
        """One line on why it ended, where its output tells."""

    def start(self) -> None:
        """Start without waiting for readiness."""
        if self._fixed and not is_free(self.port):
            raise PortTaken(self.port, self.name, f"stop it, or let {self.name} take a free port")
        self.data.mkdir(parents=True, exist_ok=True)
        self.child = Child(self.program, self.command(), log=self._log)
        self.child.start()

    def wait(self, timeout_seconds: float = 90) -> None:
        """Wait until it is ready; one clear line when it cannot start."""
        child = self._started()
        try:
            child.wait_until(self.ready, timeout_seconds)
        except CannotStart as problem:
            raise CannotStart(self.explain(child.output(), child.log) or str(problem)) from None

    def stop(self) -> None:
        """In order: what it holds is written and closed."""
        if self.child is not None:
            self.child.stop(grace_seconds=30)

    def kill(self) -> None:
        """SIGKILL."""
        self._started().kill()

    def restart(self) -> None:
        """Start again on the same port with the same data, and wait."""
        self._started().start()
        self.wait()

    def _started(self) -> Child:
        if self.child is None:
            raise CannotStart(f"{self.name} was not started")
        return self.child

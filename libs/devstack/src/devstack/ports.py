"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections (32768–60999), so that none of those takes the port
# between our choosing it and the program's listening on it.
_RANGE = range(20_000, 32_000)
_MOST_HELD = 100
_held: deque[int] = deque()
"""Locks on the ports chosen last: nobody else chooses them before the program that they are for listens."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a program could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """A port nobody listens on, and that no other process was just given: the preferred one where it is free."""
    if preferred is not None and is_free(preferred):
        return preferred
    for port in random.sample(_RANGE, 500):
        if is_free(port) and _hold(port):
            return port
    raise OSError("no free port between 20000 and 32000")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


def _hold(port: int) -> bool:
    """Keep the port for whoever asked; whether nobody else holds it. The kernel lets go of it with the process."""
    folder = Path(tempfile.gettempdir()) / f"trellis-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _held.append(lock)
    if len(_held) > _MOST_HELD:
        os.close(_held.popleft())
    return True

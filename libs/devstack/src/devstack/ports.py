"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections (32768–60999), so that none of those takes the port
# between our choosing it and the program's listening on it.
_RANGE = range(20_000, 32_000)


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
    """A port nobody listens on: the preferred one where it is free."""
    if preferred is not None and is_free(preferred):
        return preferred
    for port in random.sample(_RANGE, 500):
        if is_free(port):
            return port
    raise OSError("no free port between 20000 and 32000")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)

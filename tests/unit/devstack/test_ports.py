"""Ports are given to one asker alone."""

from __future__ import annotations

import subprocess
import sys

from devstack import ports
from devstack.ports import free_port, free_ports


def test_ports_are_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_no_other_process_is_given_a_port_that_is_held() -> None:
    given = free_port()
    ask = f"from devstack import ports; ports._RANGE = range({given}, {given} + 500); print(*ports.free_ports(50))"
    found = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    assert len(found) == 50
    assert str(given) not in found


def test_only_the_last_ones_are_held() -> None:
    free_ports(ports._MOST_HELD + 5)
    assert len(ports._held) == ports._MOST_HELD

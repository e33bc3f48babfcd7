"""What a measurement was made on, and how figures are printed."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version


def machine() -> str:
    """One line: processor count, system, versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "pydantic", "pymongo", "aiokafka"))
    return f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, {libraries}"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""What a measurement was made on, and how figures are printed."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from importlib.metadata import version


def machine() -> str:
    """One line: processor count, system, versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "pydantic", "pymongo", "aiokafka"))
    built = "" if _profiled() else " (built without a profile: 10 to 20 % slower than an image's)"
    return f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}{built}, {libraries}"


def _profiled() -> bool:
    """As `scripts/bootstrap` tells them apart."""
    return sys.base_prefix == "/usr" or "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""Files that hold secrets: for the owner alone, and never half written."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write with mode 0600, in one step (a reader sees the old content or the new)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def key_in(path: Path) -> str:
    """256 random bits in base64, kept there; made at first."""
    if not path.exists():
        write_private(path, base64.b64encode(secrets.token_bytes(32)))
    return path.read_text()

"""Where things live: the checkout, the data, the downloaded tools."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path:
    """The checkout: the folder of uv.lock above this file, else the current folder."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "uv.lock").exists():
            return folder
    return Path.cwd()


def data_dir() -> Path:
    """TRELLIS_DATA, else `.trellis` in the checkout."""
    given = os.environ.get("TRELLIS_DATA")
    return Path(given).resolve() if given else root() / ".trellis"


def tools_dir() -> Path:
    """Downloads that survive `make clean`: `.tools` in the checkout."""
    return root() / ".tools"

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture
def chromium() -> str:
    """Where Debian's Chromium is. Without it a test is skipped, but for CI, where it fails."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing: apt-get install chromium")
        pytest.skip("chromium is missing (apt-get install chromium): the pages were not seen in a browser")
    return found

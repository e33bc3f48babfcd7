"""About resource (1.0.3 Communication 2.8; 2.0 4.1.6.7)."""

from __future__ import annotations

import pytest

from tests.conformance.lrs_client import VERSION, Lrs


def test_versions_and_extensions_and_nothing_else(lrs: Lrs) -> None:
    """2.8: the latest of each major version; additional properties only in extensions, by IRI."""
    about = lrs.send("GET", "about").json()
    assert set(about) == {"version", "extensions"}
    assert about["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]
    assert all(key.startswith("https://") for key in about["extensions"])


def test_nobody_needs_credentials(lrs: Lrs) -> None:
    """2.8: an LRS SHOULD allow unauthenticated access."""
    assert lrs.http.get("/xapi/about").status_code == 200


@pytest.mark.parametrize("version", [None, "0.9", "3.0.0", "nonsense"])
def test_no_version_header_is_refused(lrs: Lrs, version: str | None) -> None:
    """2.8: an LRS MUST NOT reject requests based on their version header."""
    assert lrs.send("GET", "about", headers={VERSION: version}).status_code == 200


def test_head_is_get_without_content(lrs: Lrs) -> None:
    """1.1: HEAD."""
    head, get = lrs.send("HEAD", "about"), lrs.send("GET", "about")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]

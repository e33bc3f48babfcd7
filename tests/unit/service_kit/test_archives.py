"""The ZIP that a person gets: nothing in it is hidden behind something else of the same name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from service_kit.archives import Archive
from service_kit.subjects import Piece, Record


def test_of_two_files_with_one_name_an_unpacked_zip_keeps_one_so_there_are_none() -> None:
    archive = Archive(datetime(2026, 11, 22, tzinfo=UTC))
    archive.add("ingest", Record("documents", b"1"))
    archive.add("ingest", Piece("documents/1", b"one"))
    with pytest.raises(ValueError, match="closed already"):
        archive.add("ingest", Record("documents", b"2"))

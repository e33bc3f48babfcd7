"""One live ingest for all requirements, in both dialects."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from tests.conformance.lrs_client import VERSIONS, Lrs, live
from tests.support import cleanup
from tests.support.tokens import Tokens


@pytest.fixture(scope="session")
def live_ingest(mongodb_url: str, tokens: Tokens) -> Iterator[tuple[httpx2.Client, tuple[str, str]]]:
    namespace = f"t{secrets.token_hex(4)}-"
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environment:  # read at the start alone: other tests have their own
            environment.setenv("TRELLIS_MONGODB_URL", mongodb_url)
            environment.setenv("TRELLIS_NAMESPACE", namespace)
            for name, value in tokens.settings.items():
                environment.setenv(name, value)
            ingest = stack.enter_context(live(tokens))
        http = stack.enter_context(httpx2.Client(base_url=ingest.url, timeout=30))
        yield http, ingest.auth
    cleanup.drop_databases(mongodb_url, namespace)


@pytest.fixture(params=VERSIONS)
def lrs(request: pytest.FixtureRequest, live_ingest: tuple[httpx2.Client, tuple[str, str]]) -> Lrs:
    """For what both versions of the standard demand."""
    return Lrs(*live_ingest, request.param)


@pytest.fixture
def lrs1(live_ingest: tuple[httpx2.Client, tuple[str, str]]) -> Lrs:
    """For what 1.0.3 alone demands."""
    return Lrs(*live_ingest, "1.0.3")


@pytest.fixture
def lrs2(live_ingest: tuple[httpx2.Client, tuple[str, str]]) -> Lrs:
    """For what 2.0 alone demands."""
    return Lrs(*live_ingest, "2.0.0")

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.ingest.lrs import Lrs, running
from tests.support.tokens import Tokens


@pytest.fixture
def environment(
    mongodb_url: str, module_namespace: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """The settings of a service of this module's own."""
    monkeypatch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
    monkeypatch.setenv("TRELLIS_NAMESPACE", module_namespace)
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
async def lrs(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[Lrs]:
    """An ingest with a tenant of this test's own, whose policy allows recording."""
    async with running(tokens) as one:
        yield one

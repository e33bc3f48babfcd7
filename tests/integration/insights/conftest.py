from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.insights.house import House, running
from tests.support.tokens import Tokens


@pytest.fixture
def environment(
    mongodb_url: str, module_namespace: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """The settings of services of this module's own."""
    monkeypatch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
    monkeypatch.setenv("TRELLIS_NAMESPACE", module_namespace)
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
async def house(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[House]:
    async with running(tokens, environment) as one:
        yield one

"""What of a trace goes on where nobody records spans (`tests/e2e/test_trace.py`: where somebody does)."""

from __future__ import annotations

import pytest
from events.tracing import current_traceparent, span_after

CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("traceparent", [CONTEXT, None])
def test_the_context_is_handed_on_as_it_came(traceparent: str | None) -> None:
    with span_after("anything", traceparent) as handed_on:
        assert handed_on == traceparent
    assert current_traceparent() is None

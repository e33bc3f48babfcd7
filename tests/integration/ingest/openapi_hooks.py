"""What schemathesis is taught of this house's media types (loaded by it through SCHEMATHESIS_HOOKS)."""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else "\n".join(json.dumps(one) for one in _listed(value)).encode()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

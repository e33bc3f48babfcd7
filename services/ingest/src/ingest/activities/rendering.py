"""Statements in the form that was asked for; `canonical` with all that is known of their activities."""

from collections.abc import Sequence

from xapi import render
from xapi.exact import dumps, loads
from xapi.filters import Format

from ingest.activities.knowing import KnownActivities


async def rendered(
    activities: KnownActivities, tenant: str, statements: Sequence[bytes], form: Format, accept_language: str | None
) -> list[bytes]:
    """`exact` gives the stored bytes; a page in canonical form costs one read of activities."""
    if form == "exact":
        return list(statements)
    read = [loads(one) for one in statements]
    if form == "canonical":
        read = await activities.canonical(tenant, read)
    return [dumps(render(one, form, accept_language)) for one in read]

"""How MongoDB would answer a query."""

from __future__ import annotations

from typing import Any

from service_kit.mongo import Collection, Document


async def assert_indexed(collection: Collection, query: Document, sort: list[tuple[str, int]] | None = None) -> None:
    """The winning plan walks an index, in its order."""
    found = collection.find(query)
    plan: Any = await (found.sort(sort) if sort else found).explain()
    text = str(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in text
    assert "'SORT'" not in text

"""A retention rule on the copies of profiles that recommendation keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recommendation.learners.participant import LearnerParticipant
from recommendation.learners.repository import LearnerRepository
from service_kit.mongo import ensure, in_transaction
from service_kit.orders import ORDERS
from service_kit.runtime import Connections

from tests.integration.recommendation.conftest import View, evidence, profile
from tests.support.retaining import Retained, said

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("action", "gone"), [("delete", ["old"]), ("unlink", ["old"]), ("aggregate", [])])
async def test_a_copy_goes_once_all_that_it_says_is_old(
    held: Connections, view: View, action: str, gone: list[str]
) -> None:
    await ensure(held.db, [ORDERS])
    learners = LearnerRepository(held.db, held.sealer)
    ages = {"old": 400, "young": 10, "unknown": None}
    profiles = {
        name: profile(1, evidence("s1", "c:1", 1.0)).model_copy(
            update={"last_stored_at": None if days is None else NOW - timedelta(days=days)}
        )
        for name, days in ages.items()
    }
    await in_transaction(held.client, lambda session: learners.put(view.tenant, profiles, session))
    retained = Retained(held, LearnerParticipant(learners), view.tenant)
    before: dict[str, Any] = {"stored_before": NOW - timedelta(days=365)}
    narrow = said(await retained.carry_out(action, verbs=("v:1",), **before))
    assert narrow == ({}, {}), "a copy has no verb"
    counts = {"learners": len(gone)} if gone else {}
    assert said(await retained.preview(action, **before)) == (counts, {})
    assert await learners.get(view.tenant, "old") is not None
    assert said(await retained.carry_out(action, **before)) == (counts, {})
    left = [name for name in ages if await learners.get(view.tenant, name) is not None]
    assert left == [name for name in ages if name not in gone]

"""What an audit entry says, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from events.sealing import KeyGone, Owner, Sealed
from pydantic import SecretStr
from service_kit.audit import ENTRIES, Action, Audit, AuditEntry, Who
from service_kit.mongo import Document, Session, in_transaction

from tests.integration.service_kit.conftest import Mongo

LEARNER = "5b0c6c5e-8d9b-4d4e-9d0e-2f6d3a1c7b11"
OTHER = "0d3f0a52-4b0e-4f2e-8a52-9a0f6c0a7a22"


class Turned:
    """Seals by turning the bytes round; the key of `gone` is destroyed."""

    gone: str | None = None

    async def seal(self, items: Any) -> list[Sealed]:
        return [self._one(owner, data) for owner, data in items]

    def _one(self, owner: Owner, data: bytes) -> Sealed:
        if owner.learner == self.gone:
            raise KeyGone(owner.learner)
        return Sealed(data[::-1], "k")

    async def open(self, items: Any) -> list[bytes]:
        return [item.data[::-1] for item in items]

    async def open_each(self, items: Any) -> list[bytes | None]:
        return [*await self.open(items)]


class Desk:
    def __init__(self, mongo: Mongo, key: str = "secret") -> None:
        self.mongo, self.sealer = mongo, Turned()
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.audit = Audit(mongo.db, self.sealer, "insights", lambda: self.now, SecretStr(key))

    async def documents(self) -> list[Document]:
        return await self.mongo.db[ENTRIES.name].find().sort("_id", 1).to_list(None)

    async def entries(self) -> list[Document]:
        return [document["entry"] for document in await self.documents()]


@pytest.fixture
def desk(mongo: Mongo) -> Desk:
    return Desk(mongo)


def entry(*learners: str, subject: str = "ms.harper@school.example", own: str | None = None) -> AuditEntry:
    return AuditEntry("t", Who(("teacher",), subject, own), Action.saw, "report", learners, "teach")


async def test_nobody_is_named_in_the_clear(desk: Desk) -> None:
    await desk.audit.record(entry(LEARNER, OTHER))
    raw = orjson.dumps(await desk.documents(), default=str).decode()
    for name in (LEARNER, OTHER, "harper", "school.example"):
        assert name not in raw
    assert len((await desk.entries())[0]["subjects"]) == 2


async def test_a_caller_has_one_pseudonym_under_one_key_in_one_tenant(desk: Desk, mongo: Mongo) -> None:
    await desk.audit.record(entry(LEARNER))
    await desk.audit.record(entry(OTHER))
    await desk.audit.record(entry(OTHER, subject="someone else"))
    await Desk(mongo, key="another").audit.record(entry(LEARNER))
    first, second, third, elsewhere = (one["by"] for one in await desk.entries())
    assert first == second
    assert len({first, third, elsewhere}) == 3


async def test_a_learners_own_doings_name_nobody_beside_the_sealed_subject(desk: Desk) -> None:
    await desk.audit.record(entry(LEARNER, subject="pupil", own=LEARNER))
    await desk.audit.record(entry(OTHER, subject="pupil", own=LEARNER))
    assert [one["by"] == "self" for one in await desk.entries()] == [True, False]


async def test_a_forgotten_learner_is_one_subject_without_a_name(desk: Desk) -> None:
    desk.sealer.gone = OTHER
    await desk.audit.record(entry(LEARNER, OTHER))
    assert [one["key"] for one in (await desk.entries())[0]["subjects"]] == ["k", "destroyed"]


@pytest.mark.parametrize(("seconds", "entries"), [(0, 1), (59, 1), (60, 2)])
async def test_reads_that_come_again_are_noticed_once_a_minute(desk: Desk, seconds: int, entries: int) -> None:
    await desk.audit.noticed(entry(LEARNER))
    desk.now += timedelta(seconds=seconds)
    await desk.audit.noticed(entry(LEARNER))
    assert len(await desk.entries()) == entries
    await desk.audit.noticed(entry(OTHER))
    assert len(await desk.entries()) == entries + 1


async def test_an_entry_stands_and_falls_with_its_transaction(desk: Desk, mongo: Mongo) -> None:
    async def fails(session: Session) -> None:
        await desk.audit.record(entry(LEARNER), session)
        raise ValueError

    with pytest.raises(ValueError):
        await in_transaction(mongo.client, fails)
    assert await desk.entries() == []

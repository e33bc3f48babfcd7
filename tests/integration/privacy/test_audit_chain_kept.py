"""From a service's outbox to the chain, and tampering with the chain in MongoDB itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from cli.main import app as trellis
from events.envelope import Message
from events.payloads import Audited
from events.sealing import Owner
from events.topics import AUDIT
from privacy.audit.chaining import Chaining
from privacy.audit.handlers import AuditHandler
from privacy.audit.keeping import Keeping
from privacy.audit.repository import Chain
from privacy.consents.forgotten import Forgotten
from privacy.consents.repository import Consents
from privacy.keys.repository import KeyRepository
from privacy.service import SERVICE
from privacy.settings import SIX_MONTHS_DAYS, AuditChainSettings, SigningSettings
from privacy.signing import Signing
from service_kit.audit import Action, AuditEntry, Who, pseudonym
from service_kit.mongo import Document, Session, in_transaction
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings
from typer.testing import CliRunner, Result

from tests.integration.privacy.conftest import Caller, privacy_worker, twin, until
from tests.support.plans import assert_indexed
from tests.support.serving import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEARNER, OTHER = str(uuid4()), str(uuid4())
Tamper = Callable[[Connections, str], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(settings: ServiceSettings) -> AsyncIterator[Connections]:
    await SERVICE.init(settings)
    async with connections("privacy", settings) as c:
        yield c


def chaining(c: Connections) -> Chaining:
    return Chaining(Chain(c.db), Signing(SigningSettings().signing_key, c.db), c.clock)


def said(number: int) -> Audited:
    at = datetime(2026, 11, 22, 12, 0, number, tzinfo=UTC)
    return Audited(service="insights", action=Action.saw, what="report", roles=["teacher"], by="someone", at=at)


async def fill(c: Connections, tenant: str, entries: int = 6) -> None:
    """Entries, with a checkpoint after the third."""
    own = chaining(c)
    first = [(str(uuid4()), said(i)) for i in range(3)]
    later = [(str(uuid4()), said(i)) for i in range(3, entries)]
    await in_transaction(c.client, lambda session: own.append(tenant, first, session))
    await in_transaction(c.client, lambda session: own.checkpoint(tenant, session))
    await in_transaction(c.client, lambda session: own.append(tenant, later, session))


@dataclass
class Verify:
    """`trellis audit verify` against the app over real HTTP."""

    call: Caller
    url: str
    witness: Path

    async def __call__(self, *arguments: str) -> Result:
        token = self.call.tokens.make("dpo", tenant=self.call.tenant)
        given = ["audit", *(arguments or ("verify",)), "--url", self.url, "--token", token]
        if given[1] == "verify":
            given += ["--witness", str(self.witness)]
        return await asyncio.to_thread(CliRunner().invoke, trellis, given)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(here: Connections, settings: ServiceSettings) -> AsyncIterator[str]:
    async with serve(SERVICE.app(settings)) as address:
        yield address


@pytest.fixture
def verify(call: Caller, url: str, tmp_path: Path) -> Verify:
    return Verify(call, url, tmp_path / "witness.json")


async def test_from_a_services_outbox_to_the_officer(
    here: Connections, settings: ServiceSettings, call: Caller, verify: Verify
) -> None:
    async with twin("insights", settings), privacy_worker(settings), connections("insights", settings) as insights:
        who = Who(("teacher",), "ms.harper")
        for learners in ((LEARNER, OTHER), (LEARNER,)):
            await insights.audit.record(AuditEntry(call.tenant, who, Action.saw, "report", learners, "teach"))

        async def listed(**query: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await call("GET", f"/audit?learner_id={LEARNER}", "dpo")).json()["items"]
            return found

        found = await until(listed, lambda items: sum(item["what"] == "report" for item in items) == 2)
    newest, oldest = (item for item in found if item["what"] == "report")
    assert (newest["learners"], oldest["learners"]) == ([LEARNER], [LEARNER, OTHER])
    assert (newest["service"], newest["roles"], newest["ground"]) == ("insights", ["teacher"], "teach")
    assert newest["by"] == oldest["by"] != "ms.harper"
    key = settings.audit.audit_pseudonym_key.get_secret_value()
    assert newest["by"] == pseudonym(key.encode(), call.tenant, "ms.harper")
    told = CliRunner().invoke(trellis, ["audit", "who", "ms.harper", "--tenant", "north", "--key", "secret"])
    assert told.stdout.strip() == pseudonym(b"secret", "north", "ms.harper")
    assert await insights_outbox(settings) == 0
    result = await verify()
    assert (result.exit_code, "holds" in result.stdout) == (0, True), result.output


async def insights_outbox(settings: ServiceSettings) -> int:
    async with connections("insights", settings) as c:
        return await c.db["audit_entries"].count_documents({})


async def test_an_entry_that_comes_twice_is_chained_once(here: Connections, call: Caller) -> None:
    handler = AuditHandler(chaining(here), here.sealer, Forgotten(here.db))
    message = Message(AUDIT, 0, 0, call.tenant, None, str(uuid4()), said(0).at, None, said(0))
    for batch in ([message, message], [message]):

        async def handle(session: Session, batch: list[Message] = batch) -> None:
            await handler.handle(batch, session)

        await in_transaction(here.client, handle)
    assert len(await Chain(here.db).page(call.tenant, None, 10)) == 1


async def test_pruning_keeps_checkpoints_and_the_chain_whole(here: Connections, call: Caller, verify: Verify) -> None:
    await fill(here, call.tenant)
    later = Chaining(Chain(here.db), chaining(here).signing, lambda: datetime.now(UTC) + timedelta(days=200))
    keeping = Keeping(here.client, later, here.audit, AuditChainSettings(audit_keep_days=SIX_MONTHS_DAYS))
    assert await keeping.turn() >= 3
    result = await verify()
    assert result.exit_code == 0, result.output
    assert "pruned" in result.stdout


@pytest.mark.parametrize("days", [0.5, 30, SIX_MONTHS_DAYS - 1])
async def test_an_audit_of_less_than_six_months_is_refused(days: float) -> None:
    with pytest.raises(ValueError, match="183 at least"):
        AuditChainSettings(audit_keep_days=days)


async def test_that_there_is_no_audit_any_more_is_found(here: Connections, call: Caller, verify: Verify) -> None:
    assert (await verify()).exit_code == 1, "there never was one"
    await fill(here, call.tenant)
    assert (await verify()).exit_code == 0
    await here.db["audit_heads"].delete_one({"_id": call.tenant})
    await here.db["audit_chain"].delete_many({"tenant": call.tenant})
    assert (await verify()).exit_code == 2


async def test_a_file_for_an_auditor_verifies_without_the_service(
    here: Connections, call: Caller, verify: Verify, tmp_path: Path
) -> None:
    await fill(here, call.tenant)
    file = tmp_path / "audit.jsonl"
    assert (await verify("export", "--out", str(file))).exit_code == 0
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    arguments = ["audit", "verify", "--file", str(file), "--witness", str(tmp_path / "other.json")]
    assert CliRunner().invoke(trellis, arguments).exit_code == 0
    file.write_bytes(file.read_bytes().replace(b"teacher", b"parents", 1))
    assert CliRunner().invoke(trellis, arguments).exit_code == 2


def place(tenant: str, seq: int) -> str:
    return f"{tenant}/{seq:012d}"


async def change(c: Connections, tenant: str, seq: int) -> None:
    found: Document | None = await c.db["audit_chain"].find_one({"_id": place(tenant, seq)})
    assert found is not None
    line = found["line"].replace("teacher", "nobody")
    await c.db["audit_chain"].update_one({"_id": found["_id"]}, {"$set": {"line": line}})


async def an_entry_changed(c: Connections, tenant: str) -> None:
    await change(c, tenant, 2)


async def the_last_entry_changed(c: Connections, tenant: str) -> None:
    await change(c, tenant, 6)


async def an_entry_removed(c: Connections, tenant: str) -> None:
    await c.db["audit_chain"].delete_one({"_id": place(tenant, 2)})


async def the_last_entries_removed(c: Connections, tenant: str) -> None:
    await c.db["audit_chain"].delete_many({"_id": {"$gte": place(tenant, 5), "$lt": f"{tenant}0"}})


async def two_entries_exchanged(c: Connections, tenant: str) -> None:
    first = await c.db["audit_chain"].find_one({"_id": place(tenant, 4)})
    second = await c.db["audit_chain"].find_one({"_id": place(tenant, 5)})
    assert first is not None
    assert second is not None
    for at, other in ((first, second), (second, first)):
        fields = {"line": other["line"], "hash": other["hash"]}
        await c.db["audit_chain"].update_one({"_id": at["_id"]}, {"$set": fields})


async def a_checkpoint_changed(c: Connections, tenant: str) -> None:
    await c.db["audit_checkpoints"].update_one({"mark.tenant": tenant}, {"$set": {"mark.seq": 2}})


async def a_checkpoint_removed(c: Connections, tenant: str) -> None:
    await c.db["audit_checkpoints"].delete_one({"mark.tenant": tenant})


async def the_end_set_back(c: Connections, tenant: str) -> None:
    """To what was signed when there were five entries: only the witness knows better."""
    await the_last_entries_removed(c, tenant)
    found = await c.db["kept_head"].find_one({"_id": tenant})
    assert found is not None
    await c.db["audit_heads"].replace_one({"_id": tenant}, found)


@pytest.mark.parametrize(
    "tamper",
    [
        an_entry_changed,
        the_last_entry_changed,
        an_entry_removed,
        the_last_entries_removed,
        two_entries_exchanged,
        a_checkpoint_changed,
        a_checkpoint_removed,
        the_end_set_back,
    ],
)
async def test_tampering_in_the_database_is_found(
    here: Connections, call: Caller, verify: Verify, tamper: Tamper
) -> None:
    await fill(here, call.tenant, entries=4)
    head = await here.db["audit_heads"].find_one({"_id": call.tenant})
    assert head is not None
    await here.db["kept_head"].insert_one(head)
    own = chaining(here)
    more = [(str(uuid4()), said(i)) for i in (4, 5)]
    await in_transaction(here.client, lambda session: own.append(call.tenant, more, session))
    assert (await verify()).exit_code == 0
    await tamper(here, call.tenant)
    result = await verify()
    assert result.exit_code == 2
    assert "DOES NOT HOLD" in result.stdout


class TestRoutes:
    async def test_none_but_the_officer(self, here: Connections, call: Caller) -> None:
        await fill(here, call.tenant)
        for path in ("/audit", "/audit/head", "/audit/export"):
            assert (await call("GET", path)).status_code == 401
            for role in ("learner", "guardian", "teacher", "authority", "operator", "app", "service"):
                assert (await call("GET", path, role)).status_code == 403
            assert (await call("GET", path, "dpo")).status_code == 200

    async def test_another_tenant_sees_nothing(self, here: Connections, call: Caller) -> None:
        await fill(here, call.tenant)
        elsewhere = f"{call.tenant}-other"
        assert (await call("GET", "/audit", "dpo", tenant=elsewhere)).json()["items"] == []
        assert (await call("GET", "/audit/export", "dpo", tenant=elsewhere)).status_code == 404

    async def test_pages(self, here: Connections, call: Caller) -> None:
        await fill(here, call.tenant)
        first = (await call("GET", "/audit?limit=4", "dpo")).json()
        second = (await call("GET", f"/audit?limit=4&cursor={first['next']}", "dpo")).json()
        assert [item["seq"] for item in first["items"] + second["items"]] == [6, 5, 4, 3, 2, 1]
        assert second["next"] is None
        assert (await call("GET", "/audit?cursor=x", "dpo")).status_code == 400

    async def test_the_head_is_what_the_export_ends_with(self, here: Connections, call: Caller) -> None:
        await fill(here, call.tenant)
        head = (await call("GET", "/audit/head", "dpo")).json()
        last = orjson.loads((await call("GET", "/audit/export", "dpo")).content.splitlines()[-1])
        assert head["mark"] == last["mark"]


async def test_forgetting_leaves_no_way_from_the_learner_to_entries(here: Connections, call: Caller) -> None:
    """Nor do entries that come later make one: neither while the erasure runs nor when its mark is gone."""
    handler, chain = AuditHandler(chaining(here), here.sealer, Forgotten(here.db)), Chain(here.db)
    consents, keys, learner = Consents(here.db), KeyRepository(here.db), str(uuid4())

    async def comes() -> int:
        """An entry about the learner; how many are found by the learner then."""
        await here.audit.record(AuditEntry(call.tenant, Who(("app",), "a"), Action.saw, "profile", (learner,)))
        found = await here.db["audit_entries"].find_one_and_delete({"tenant": call.tenant})
        assert found is not None
        entry = Audited.model_validate(found["entry"])
        message = Message(AUDIT, 0, 0, call.tenant, None, found["_id"], entry.at, None, entry)
        await in_transaction(here.client, lambda session: handler.handle([message], session))
        return len(await chain.about(call.tenant, learner, None, 10))

    assert await comes() == 1
    await in_transaction(here.client, lambda s: consents.forget(call.tenant, learner, here.clock(), s))
    assert await in_transaction(here.client, lambda session: chain.forget(call.tenant, learner, session)) == 1
    assert await comes() == 0
    owner = Owner(call.tenant, learner)
    await in_transaction(here.client, lambda session: keys.never_again([owner], session))
    await in_transaction(here.client, lambda session: consents.remove(call.tenant, learner, session))
    assert await comes() == 0
    assert len(await chain.page(call.tenant, None, 10)) == 3


OUTBOX = {"outbox.token": {"$exists": True}, "outbox.shard": {"$in": [0, 1]}}


@pytest.mark.parametrize(
    ("collection", "query", "sort"),
    [
        ("audit_entries", OUTBOX, [("outbox.shard", 1), ("outbox.token", 1)]),
        ("audit_chain", {"_id": {"$gt": "t/000000000001", "$lte": "t/000000000009"}}, [("_id", 1)]),
        ("audit_chain", {"tenant": "t", "entry_id": {"$in": ["a", "b"]}}, None),
        ("audit_checkpoints", {"mark.tenant": "t", "mark.number": {"$lte": 9}}, [("mark.number", 1)]),
        ("audit_checkpoints", {"mark.tenant": "t", "at": {"$lt": datetime(2026, 11, 22, tzinfo=UTC)}}, [("at", -1)]),
        ("audit_subjects", {"tenant": "t", "learner": "l", "seq": {"$lt": 9}}, [("seq", -1)]),
        ("audit_subjects", {"tenant": "t", "learner": "l"}, None),
    ],
)
async def test_every_query_has_its_index(
    here: Connections, collection: str, query: Document, sort: list[tuple[str, int]] | None
) -> None:
    await assert_indexed(here.db[collection], query, sort)

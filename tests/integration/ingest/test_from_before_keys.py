"""Documents and attachments from before there were keys: sealed, found as ever, and gone with their learner."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from ingest.attachments.repository import CHUNK
from ingest.documents.migrating import address
from ingest.sealing import walks
from service_kit.keys.migrating import MIGRATIONS, Migrating
from service_kit.mongo import Document

from tests.integration.ingest.lrs import Json, Lrs, agent, statement
from tests.integration.ingest.test_statements_sealed import OCTETS, House, house, lrs, named
from tests.support.multipart_mixed import CONTENT_TYPE, SIGNATURE, attachment, body, part, statements_part, taken_apart
from tests.support.signing import signer

__all__ = ["house", "lrs"]  # fixtures

ACTIVITY = "https://example.org/activities/1"
REGISTRATION = "8f5d9c6e-55c1-4a1c-8f6e-0d3f1a2b3c4d"
STATE = "/xapi/activities/state"
PLACES: list[tuple[str, Json]] = [
    (STATE, {"activityId": ACTIVITY, "stateId": "a/b c", "registration": REGISTRATION}),
    (STATE, {"activityId": ACTIVITY, "stateId": "a/b c"}),
    ("/xapi/agents/profile", {"profileId": "likes/and more"}),
    ("/xapi/activities/profile", {"activityId": ACTIVITY, "profileId": "shared/notes"}),
]


async def put(lrs: Lrs, path: str, where: Json, document: Json) -> None:
    headers = {"X-Experience-API-Version": "2.0.0", "If-None-Match": "*"}
    answer = await lrs.http.put(path, params=where, json=document, headers=headers, auth=lrs.auth)
    assert answer.status_code == 204, answer.text


def whose(path: str, where: Json) -> Json:
    """With the agent, but of an activity's profile."""
    return where if path.startswith("/xapi/activities/profile") else where | {"agent": json.dumps(agent("ada"))}


async def walked(lrs: Lrs, house: House, batch: int = 2) -> None:
    """Every walk to its end, each turn with a job of its own, as after a restart."""
    c = lrs.connections
    await c.db[MIGRATIONS.name].delete_many({})
    for number, walk in enumerate(walks(c)):
        while not ((await c.db[MIGRATIONS.name].find_one({"_id": walk.name})) or {}).get("done"):
            await Migrating(c.db, house.sealer, [walks(c)[number]], batch).turn(walk)


async def sent(lrs: Lrs, one: Json, *data: bytes) -> str:
    parts = [part(each, {"Content-Type": OCTETS}) for each in data]
    headers = {"Content-Type": CONTENT_TYPE, "X-Experience-API-Version": "2.0.0"}
    content = body(statements_part(one), *parts)
    answer = await lrs.http.post("/xapi/statements", content=content, headers=headers, auth=lrs.auth)
    assert answer.status_code == 200, answer.text
    return str(one["id"])


async def laid_bare(lrs: Lrs, data: bytes) -> Document:
    """The data as it lay before there were keys; its file."""
    c = lrs.connections
    [file] = await c.db["attachments.files"].find({"metadata.whole": {"$regex": sha256(data).hexdigest()}}).to_list()
    clear = {"length": len(data), "chunkSize": CHUNK, "metadata.key": None}
    await c.db["attachments.files"].update_one(
        {"_id": file["_id"]}, {"$set": clear, "$unset": {"metadata.others": "", "metadata.due": ""}}
    )
    await c.db["attachments.chunks"].delete_many({"files_id": file["_id"]})
    pieces = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    chunks: list[Document] = [{"files_id": file["_id"], "n": n, "data": one} for n, one in enumerate(pieces)]
    await c.db["attachments.chunks"].insert_many(chunks)
    return file


class TestDocuments:
    async def keep(self, lrs: Lrs) -> None:
        """One at each place, as it lay before."""
        collection = lrs.connections.db["documents"]
        for number, (path, where) in enumerate(PLACES):
            await put(lrs, path, whose(path, where), {"kept": number})
            [made] = await collection.find({"_id": {"$regex": f"^{lrs.tenant}/"}, "name": {"$exists": True}}).to_list()
            await collection.delete_one({"_id": made["_id"]})
            tenant, kind, first, *_ = made["_id"].split("/")
            name = where.get("stateId") or where["profileId"]
            activity = [sha256(ACTIVITY.encode()).hexdigest()] if kind == "state" else []
            registration = [where.get("registration", "")] if kind == "state" else []
            old = "/".join([tenant, kind, first, *activity, *registration, name])
            assert address(old) == (made["_id"], name)
            before = {"_id": old, "bytes": json.dumps({"kept": number}).encode(), "key": None}
            await collection.insert_one({key: made[key] for key in ("type", "updated", "revision")} | before)

    async def test_they_are_sealed_and_found(self, lrs: Lrs, house: House) -> None:
        await self.keep(lrs)
        await walked(lrs, house)
        for number, (path, where) in enumerate(PLACES):
            assert (await lrs.get(path, **whose(path, where))).json() == {"kept": number}
        listed = {"activityId": ACTIVITY, "agent": json.dumps(agent("ada"))}
        assert (await lrs.get(STATE, **listed)).json() == ["a/b c"]
        left = await lrs.connections.db["documents"].find({"_id": {"$regex": f"^{lrs.tenant}/"}}).to_list(None)
        assert len(left) == len(PLACES)
        assert all(one["key"] and b"kept" not in one["bytes"] and " " not in one["_id"] for one in left)

    async def test_what_was_written_since_stays(self, lrs: Lrs, house: House) -> None:
        await self.keep(lrs)
        path, where = PLACES[0]
        await put(lrs, path, whose(path, where), {"kept": "anew"})
        await walked(lrs, house)
        assert (await lrs.get(path, **whose(path, where))).json() == {"kept": "anew"}
        assert await lrs.connections.db["documents"].count_documents({"name": {"$exists": False}}) == 0


class TestAttachments:
    async def given(self, lrs: Lrs, statement_id: str) -> list[bytes]:
        query = {"statementId": statement_id, "attachments": "true"}
        headers = {"X-Experience-API-Version": "2.0.0"}
        answer = await lrs.http.get("/xapi/statements", params=query, headers=headers, auth=lrs.auth)
        return [one.data for one in taken_apart(answer.headers["Content-Type"], answer.content)[1:]]

    @pytest.mark.parametrize("size", [40, CHUNK, 2 * CHUNK + 7])
    async def test_it_is_sealed_and_read(self, lrs: Lrs, house: House, size: int) -> None:
        data = (b"what ada handed in " * (size // 19 + 1))[:size]
        said = await sent(lrs, statement("ada", attachments=[attachment(data, OCTETS)]), data)
        await laid_bare(lrs, data)
        assert await self.given(lrs, said) == [data]
        await walked(lrs, house)
        assert await self.given(lrs, said) == [data]
        c = lrs.connections
        [file] = await c.db["attachments.files"].find({"metadata.tenant": lrs.tenant}).to_list(None)
        assert file["metadata"]["key"].endswith(await lrs.learner("ada"))
        chunks = await c.db["attachments.chunks"].find({}).to_list(None)
        assert not [one for one in chunks if b"handed in" in one["data"]]
        await house.erase("ada")
        assert await c.db["attachments.files"].count_documents({"metadata.tenant": lrs.tenant}) == 0

    async def test_a_signature_is_sealed_for_everyone_whom_it_names(self, lrs: Lrs, house: House) -> None:
        one = statement("ada", context={"instructor": named("grace")})
        data = signer().sign(one)
        said = await sent(lrs, one | {"attachments": [attachment(data, OCTETS, usageType=SIGNATURE)]}, data)
        await laid_bare(lrs, data)
        await walked(lrs, house)
        assert await self.given(lrs, said) == [data]
        await house.destroy("grace")
        assert await self.given(lrs, said) == []

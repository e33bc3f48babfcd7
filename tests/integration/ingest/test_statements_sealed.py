"""Statements sealed under the keys of everyone whom they name: back byte for byte, and without whoever is erased."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest
from events.sealing import Owner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.app import build, create
from ingest.erasure.rewriting import ERASED_SIGNATURE
from ingest.service import SERVICE
from ingest.settings import AccessSettings, XapiSettings
from ingest.statements.relaying import StatementSource
from ingest.statements.sealing import open_all, seal
from ingest.worker import participant
from service_kit.leases import LEASES
from service_kit.mongo import Document, ensure, in_transaction
from service_kit.positions import POSITIONS
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings
from xapi import JsonObject, agents_of, dumps, parse_statement
from xapi.cutting import ERASED_HOME_PAGE, is_erased

from tests.integration.ingest.lrs import Json, Lrs, agent, statement
from tests.support.keyed_sealer import KeyedSealer
from tests.support.multipart_mixed import CONTENT_TYPE, SIGNATURE, attachment, body, part, statements_part, taken_apart
from tests.support.signing import signer
from tests.support.tokens import Tokens
from tests.support.xapi_strategies import statements, with_literals

OCTETS = "application/octet-stream"


@dataclass
class House:
    """An LRS that seals, and its keys."""

    lrs: Lrs
    sealer: KeyedSealer

    async def erase(self, who: str | Json) -> Mapping[str, int]:
        """With the key, as the privacy service has it done."""
        c, found = self.lrs.connections, agent(who) if isinstance(who, str) else who
        answer = await self.lrs.http.post("/identities", json=found, headers=self.lrs.bearer("app"))
        learner = answer.json()["learner_id"]
        await self.lrs.decide(learner, None, erased=True)
        erasing, tenant = participant(c), self.lrs.tenant
        counts: Counter[str] = Counter()
        while part := await in_transaction(c.client, lambda s: erasing.erase_part(tenant, learner, 1, s)):
            counts.update(part)
        rest = await in_transaction(c.client, lambda s: erasing.erase(tenant, learner, s))
        assert rest["statements"] == rest["statements_rewritten"] == 0
        self.sealer.destroy(tenant, learner)
        return counts

    async def destroy(self, name: str) -> None:
        """Only the key."""
        self.sealer.destroy(self.lrs.tenant, await self.lrs.learner(name))

    async def document(self, statement_id: str) -> Document:
        found = await self.lrs.connections.db["statements"].find_one({"_id": f"{self.lrs.tenant}/{statement_id}"})
        assert found is not None
        return found

    async def text(self, statement_id: str) -> str:
        answer = await self.lrs.get(statementId=statement_id)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def exported(self) -> list[Json]:
        answer = await self.lrs.http.get("/exports/statements", headers=self.lrs.bearer("operator"))
        return [json.loads(line) for line in answer.text.splitlines()][:-1]

    async def relayed(self) -> list[Any]:
        """What goes onto Kafka, without the times that differ."""
        found = await self.lrs.connections.db["statements"].find({"tenant": self.lrs.tenant}).sort("stored").to_list()
        messages = await StatementSource(self.lrs.app.state.ingest.statements).messages(found)
        return [(one.subject, {**cast("Json", one.payload), "stored": "", "timestamp": ""}) for one in messages]


@pytest.fixture
async def house(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[House]:
    settings, sealer = ServiceSettings(), KeyedSealer()
    async with connections("ingest", settings) as found:
        c = replace(found, sealer=sealer)
        await ensure(c.db, [POSITIONS, LEASES, *SERVICE.collections])
        app = create(settings)
        app.state.audit = found.audit
        app.state.ingest = state = build(c, XapiSettings(), AccessSettings(), app.state.authenticator)
        transport = httpx2.ASGITransport(app)
        async with state.stamps.kept(), httpx2.AsyncClient(transport=transport, base_url="http://ingest.test") as http:
            lrs = Lrs(app, http, c, tokens)
            await lrs.policy()
            _, lrs.auth = await lrs.credential()
            yield House(lrs, sealer)


@pytest.fixture
def lrs(house: House) -> Lrs:
    return house.lrs


def named(name: str) -> Json:
    return {"objectType": "Agent", "name": f"{name.title()} Lovelace", **agent(name)}


def team(*members: str, **more: Any) -> Json:
    return {"objectType": "Group", "member": [named(one) for one in members], **more}


PLACES: dict[str, Json] = {
    "object": {"object": named("bob")},
    "instructor": {"context": {"instructor": named("bob"), "revision": "1"}},
    "team": {"context": {"team": team("bob", "carl"), "instructor": named("carl")}},
    "a team of carl's": {"context": {"team": team("bob", **agent("carl"))}},
    "substatement": {
        "object": {"objectType": "SubStatement", **statement("bob", context={"instructor": named("ada")})},
    },
    "everywhere": {"object": named("bob"), "context": {"instructor": named("bob"), "team": team("ada", "bob", "carl")}},
}
PLACES["substatement"]["object"].pop("id")


def of_ada(place: str) -> Json:
    return statement(**PLACES[place]) | {"actor": named("ada"), "result": {"response": "ünï ☃", "score": {"raw": 1}}}


def keys_of(document: Document) -> Iterator[str]:
    for one in (document, document.get("provenance", {})):
        if "key" in one:
            yield one["key"]
        for inner in one.get("parts", ()):
            yield from keys_of(inner)


class TestBytes:
    @pytest.mark.parametrize("place", PLACES)
    async def test_they_come_back_as_without_keys(self, house: House, lrs: Lrs, place: str) -> None:
        sent = of_ada(place)
        await lrs.post([sent])
        whole = json.loads(await house.text(sent["id"]))
        assert {name: whole[name] for name in sent} == sent
        document = await house.document(sent["id"])
        assert len(set(keys_of(document))) == len({use.ifi for use in agents_of(sent) if use.ifi is not None})
        assert await house.text(sent["id"]) == dumps(whole).decode()

    async def test_an_actor_alone_is_one_piece(self, house: House, lrs: Lrs) -> None:
        batch = [statement("ada", context={"instructor": agent("ada")}), statement("ada"), statement("bob")]
        await lrs.post(batch)
        for sent in batch:
            assert "parts" not in await house.document(sent["id"])

    async def test_a_batch_is_one_call(self, house: House, lrs: Lrs) -> None:
        batch = [{**of_ada(place), "id": str(uuid4())} for place in PLACES]
        await lrs.post(batch)
        again = [{**one, "id": str(uuid4())} for one in batch]
        house.sealer.calls = 0
        await lrs.post(again)
        assert house.sealer.calls == 1
        await lrs.get()
        assert house.sealer.calls == 2

    async def test_a_bearer_may_be_a_person(self, house: House, lrs: Lrs) -> None:
        """Its subject is cut out of what it vouches for; a key's account names nobody."""
        sent = statement("ada")
        token = lrs.tokens.make(tenant=lrs.tenant, subject="teacher", scope="statements/write")
        answer = await lrs.post(sent, headers={"Authorization": f"Bearer {token}"}, auth=None)
        assert answer.status_code == 200, answer.text
        assert len(set(keys_of(await house.document(sent["id"])))) == 2
        authority = json.loads(await house.text(sent["id"]))["authority"]
        assert authority["account"]["name"] == "teacher"
        await house.erase(authority)
        assert json.loads(await house.text(sent["id"]))["authority"]["account"]["homePage"] == ERASED_HOME_PAGE
        assert (await house.document(sent["id"]))["authority"] == "erased"

    @given(with_literals(statements()), st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.sampled_from("ab"))
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_any_statement_under_any_keys(self, sent: JsonObject, owners: list[str], learner: str) -> None:
        sealer = KeyedSealer()
        ifis = sorted({use.ifi for use in agents_of(sent) if use.ifi is not None})
        others = {ifi: owners[number % len(owners)] for number, ifi in enumerate(ifis)}
        (fields,) = await seal(sealer, [(Owner("t", learner), sent, others)])
        assert await open_all(sealer, [("t/1", fields)]) == [dumps(sent)]
        sealer.destroy("t", "c")
        (left,) = await open_all(sealer, [("t/1", fields)])
        parse_statement(left or b"")
        sealer.destroy("t", learner)
        assert await open_all(sealer, [("t/1", fields)]) == [None]


class TestKeyGone:
    """Between the end of a key and the erasure's work, and after a restore."""

    async def test_whoever_is_named_is_an_account(self, house: House, lrs: Lrs) -> None:
        sent, other = of_ada("everywhere"), of_ada("instructor")
        await lrs.post([sent, other])
        await house.destroy("bob")
        first, second = json.loads(await house.text(sent["id"])), json.loads(await house.text(other["id"]))
        account = first["object"]["account"]
        assert account["homePage"] == ERASED_HOME_PAGE
        assert first["context"]["instructor"] == first["object"] == {"objectType": "Agent", "account": account}
        assert [one["account"] for one in first["context"]["team"]["member"][1:2]] == [account]
        assert second["context"]["instructor"]["account"]["name"] != account["name"]
        parse_statement(first)
        assert (await lrs.get()).text.count("bob") == 0

    async def test_without_the_actors_there_is_no_statement(self, house: House, lrs: Lrs) -> None:
        """And the rest of the page comes all the same."""
        sent, other = of_ada("instructor"), statement("bob")
        await lrs.post([sent, other])
        await house.destroy("ada")
        assert await lrs.ids() == [other["id"]]
        assert (await lrs.get(statementId=sent["id"])).status_code == 404
        assert [line["statement"]["id"] for line in await house.exported()] == [other["id"]]
        assert [payload["id"] for _, payload in await house.relayed()] == [other["id"]]
        assert (await lrs.post(sent)).status_code == 503


class TestErasing:
    @pytest.mark.parametrize("place", PLACES)
    async def test_the_rest_stays_byte_for_byte(self, house: House, lrs: Lrs, place: str) -> None:
        sent, own = of_ada(place), statement("bob")
        await lrs.post([sent, own])
        before, keys = await house.text(sent["id"]), set(keys_of(await house.document(sent["id"])))
        learner = await lrs.learner("bob")
        (bob,) = [key for key in keys if key.endswith(learner)]
        relayed = [one for one in await house.relayed() if one[1]["id"] == sent["id"]]
        counts = await house.erase("bob")
        assert (counts["statements"], counts["statements_rewritten"]) == (1, 1)
        assert bob not in json.dumps(await house.document(sent["id"]), default=str)
        assert set(keys_of(await house.document(sent["id"]))) == keys - {bob}
        after = await house.text(sent["id"])
        name = next(use.agent for use in agents_of(json.loads(after)) if use.ifi and is_erased(use.ifi))
        assert "bob" not in after.lower()
        assert after == before.replace(dumps(named("bob")).decode(), dumps(name).decode()).replace(
            dumps(agent("bob")).decode(), dumps(name).decode()
        )
        parse_statement(json.loads(after))
        assert [line["statement"] for line in await house.exported()] == [json.loads(after)]
        assert await lrs.ids(agent=json.dumps(agent("bob")), related_agents="true") == []
        assert await house.relayed() == relayed

    async def test_a_group_goes_on_under_the_next(self, house: House, lrs: Lrs) -> None:
        sent = statement() | {"actor": team("ada", "bob", name="Ada and Bob")}
        await lrs.post(sent)
        await house.erase("ada")
        members = json.loads(await house.text(sent["id"]))["actor"]["member"]
        assert [one["account"]["homePage"] for one in members] == [ERASED_HOME_PAGE, "https://lms.example.org"]
        bob = await lrs.learner("bob")
        assert [subject for subject, _ in await house.relayed()] == [bob]
        assert all(key.endswith(bob) for key in keys_of(await house.document(sent["id"])))
        assert (await house.erase("bob"))["statements"] == 1
        assert await lrs.stored() == 0

    async def test_two_after_each_other(self, house: House, lrs: Lrs) -> None:
        sent = of_ada("team")
        await lrs.post(sent)
        for name in ("bob", "carl"):
            await house.erase(name)
        members = json.loads(await house.text(sent["id"]))["context"]["team"]["member"]
        assert len({one["account"]["name"] for one in members}) == 2
        assert len(set(keys_of(await house.document(sent["id"])))) == 1

    async def test_it_may_be_sent_again(self, house: House, lrs: Lrs) -> None:
        """A batch that is repeated for ever must not fail for ever; and who is erased does not come back by it."""
        sent = of_ada("everywhere")
        await lrs.post(sent)
        await house.erase("bob")
        assert (await lrs.post(sent)).status_code == 200
        assert "bob" not in (await house.text(sent["id"])).lower()
        changed = json.loads(json.dumps(sent).replace("carl", "dora"))
        assert (await lrs.post(changed)).status_code == 409


class TestSigned:
    async def send(self, lrs: Lrs, sent: Json) -> tuple[Json, bytes]:
        data = signer("signer").sign(sent)
        signed = {**sent, "attachments": [attachment(data, OCTETS, usageType=SIGNATURE)]}
        content = body(statements_part(signed), part(data, {"Content-Type": OCTETS}))
        answer = await lrs.post(content, headers={"Content-Type": CONTENT_TYPE})
        assert answer.status_code == 200, answer.text
        return signed, data

    async def data(self, lrs: Lrs, statement_id: str) -> list[bytes]:
        answer: httpx2.Response = await lrs.get(statementId=statement_id, attachments="true")
        return [one.data for one in taken_apart(answer.headers["Content-Type"], answer.content)[1:]]

    async def test_its_signature_is_everyones(self, house: House, lrs: Lrs) -> None:
        sent, data = await self.send(lrs, of_ada("everywhere"))
        assert await self.data(lrs, sent["id"]) == [data]
        (file,) = await lrs.connections.db["attachments.files"].find({"metadata.tenant": lrs.tenant}).to_list()
        keys = [file["metadata"]["key"], *file["metadata"]["others"]]
        assert sorted(keys) == sorted(set(keys_of(await house.document(sent["id"]))))

    async def test_who_is_erased_takes_the_signature(self, house: House, lrs: Lrs) -> None:
        sent, _ = await self.send(lrs, of_ada("instructor"))
        other, data = await self.send(lrs, of_ada("substatement") | {"object": {"id": "https://example.org/2"}})
        await house.erase("bob")
        after = json.loads(await house.text(sent["id"]))
        (withheld,) = after["attachments"]
        assert withheld["usageType"] == withheld["fileUrl"] == ERASED_SIGNATURE
        assert withheld["sha2"] == sent["attachments"][0]["sha2"]
        parse_statement(after)
        assert await self.data(lrs, sent["id"]) == []
        assert await self.data(lrs, other["id"]) == [data]
        assert await lrs.connections.db["attachments.files"].count_documents({"metadata.tenant": lrs.tenant}) == 1

    async def test_a_key_that_is_gone_takes_it_too(self, house: House, lrs: Lrs) -> None:
        sent, _ = await self.send(lrs, of_ada("instructor"))
        await house.destroy("bob")
        assert await self.data(lrs, sent["id"]) == []

    async def test_more_names_than_may_share(self, house: House, lrs: Lrs) -> None:
        sent = statement(context={"team": team(*(f"pupil-{number}" for number in range(101)))})
        data = signer("signer").sign(sent)
        signed = {**sent, "attachments": [attachment(data, OCTETS, usageType=SIGNATURE)]}
        content = body(statements_part(signed), part(data, {"Content-Type": OCTETS}))
        assert (await lrs.post(content, headers={"Content-Type": CONTENT_TYPE})).status_code == 413


class TestQuarantined:
    async def test_it_is_everyones(self, house: House, lrs: Lrs) -> None:
        """Nobody can cut what is no statement: whoever is gone of those it names takes it along."""
        made = await lrs.http.post(
            "/credentials",
            json={"name": "moodle", "scopes": ["all"], "profile": "moodle"},
            headers=lrs.bearer("operator"),
        )
        auth = httpx2.BasicAuth(made.json()["key"], made.json()["secret"])
        broken = [statement("ada", verb={}, context={"instructor": agent("bob")}), statement("ada", verb={"n": 1})]
        await lrs.post([*broken, statement("bob", verb={}), {"of": "nobody"}], auth=auth)
        held = await lrs.connections.db["quarantine"].find({"tenant": lrs.tenant}).sort("index").to_list()
        assert [len({one["key"], *one.get("others", ())} - {None}) for one in held] == [2, 1, 1, 1]
        assert b"ada" not in b"".join(one["bytes"] for one in held)
        paths = [f"/quarantine/{one['_id'].partition('/')[2]}" for one in held]
        headers = lrs.bearer("operator")
        (await lrs.http.get(paths[0], headers=headers)).raise_for_status()
        await house.destroy("bob")
        answers = [await lrs.http.get(path, headers=headers) for path in paths]
        assert [answer.status_code for answer in answers] == [404, 200, 404, 200]

"""Statements with their attachments' data: multipart/mixed in and out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from service_kit.settings import HttpSettings

from tests.integration.ingest.lrs import STATEMENTS, Lrs, agent, places, running, statement
from tests.support.multipart_mixed import (
    BOUNDARY,
    CONTENT_TYPE,
    CRLF,
    Part,
    attachment,
    body,
    multipart,
    part,
    sha2,
    statements_part,
    taken_apart,
)
from tests.support.tokens import Tokens

SMALL = b"here is a simple attachment"
OTHER = bytes(range(256)) * 10 + b"\r\n--abc\r\n"
LARGE = bytes(range(251)) * 3000  # three chunks in the store, on disk on its way

Json = dict[str, Any]


async def send(lrs: Lrs, content: bytes, content_type: str = CONTENT_TYPE, **options: Any) -> httpx2.Response:
    return await lrs.post(content, headers={"Content-Type": content_type}, **options)


async def stored(lrs: Lrs) -> list[Json]:
    """The documents of attachments' data of this tenant."""
    found: list[Json] = (
        await lrs.connections.db["attachments.files"].find({"metadata.tenant": lrs.tenant}).to_list(None)
    )
    return found


def parts_of(answer: httpx2.Response) -> list[Part]:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    return taken_apart(answer.headers["Content-Type"], answer.content)


def refused(answer: httpx2.Response, detail: str) -> Mapping[str, Any]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert detail in document["detail"]
    (error,) = document["errors"]
    assert isinstance(error, dict)
    return error


class TestPost:
    async def test_what_was_sent_comes_back(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL), attachment(LARGE, "image/png"), attachment(OTHER)])
        content = body(statements_part(sent), part(SMALL), part(LARGE, {"Content-Type": "image/png"}), part(OTHER))
        answer = await send(lrs, content)
        assert (answer.status_code, answer.json()) == (200, [sent["id"]])
        first, *data = parts_of(await lrs.get(statementId=sent["id"], attachments="true"))
        assert first.headers["Content-Type"] == "application/json"
        assert json.loads(first.data)["attachments"] == sent["attachments"]
        assert [one.data for one in data] == [SMALL, LARGE, OTHER]
        assert [one.headers["Content-Type"] for one in data] == ["text/plain", "image/png", "text/plain"]
        assert data[1].headers["X-Experience-API-Hash"] == sha2(LARGE)
        assert data[1].headers["Content-Transfer-Encoding"] == "binary"
        assert data[1].headers["Content-Length"] == str(len(LARGE))

    async def test_put(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        answer = await lrs.http.put(
            STATEMENTS,
            content=multipart(sent, SMALL),
            params={"statementId": sent["id"]},
            headers={"X-Experience-API-Version": "2.0.0", "Content-Type": CONTENT_TYPE},
            auth=lrs.auth,
        )
        assert answer.status_code == 204
        assert [p.data for p in parts_of(await lrs.get(statementId=sent["id"], attachments="true"))[1:]] == [SMALL]

    @pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
    async def test_each_of_the_family(self, lrs: Lrs, algorithm: str) -> None:
        sent = statement(attachments=[attachment(SMALL, algorithm=algorithm)])
        declared = sha2(SMALL, algorithm).upper()
        answer = await send(lrs, body(statements_part(sent), part(SMALL, {"X-Experience-API-Hash": declared})))
        assert answer.status_code == 200, answer.text
        assert parts_of(await lrs.get(statementId=sent["id"], attachments="true"))[1].data == SMALL

    async def test_one_copy_for_the_statements_of_a_learner(self, lrs: Lrs) -> None:
        batch = [statement("ada", attachments=[attachment(LARGE)]) for _ in range(3)]
        batch += [statement("bob", attachments=[attachment(LARGE)])]
        assert (await send(lrs, multipart(batch, LARGE))).status_code == 200
        assert (await send(lrs, multipart(statement("ada", attachments=[attachment(LARGE)]), LARGE))).status_code == 200
        found = await stored(lrs)
        assert {d["metadata"]["learner"] for d in found} == {await lrs.learner("ada"), await lrs.learner("bob")}
        assert len(found) == 2  # each learner's own: so each can be forgotten alone
        assert [one.data for one in parts_of(await lrs.get(attachments="true"))[1:]] == [LARGE]

    async def test_no_data_at_all(self, lrs: Lrs) -> None:
        """1.0.3 Communication 1.5.2: a multipart body needs no attachments, and none needs data with a fileUrl."""
        assert (await send(lrs, multipart(statement()))).status_code == 200
        linked = statement(attachments=[attachment(SMALL, fileUrl="https://example.org/1")])
        assert (await send(lrs, multipart(linked))).status_code == 200
        assert len(parts_of(await lrs.get(attachments="true"))) == 1

    async def test_data_beside_a_file_url(self, lrs: Lrs) -> None:
        linked = statement(attachments=[attachment(SMALL, fileUrl="https://example.org/1")])
        assert (await send(lrs, multipart(linked, SMALL))).status_code == 200
        assert parts_of(await lrs.get(attachments="true"))[1].data == SMALL

    async def test_of_a_sub_statement(self, lrs: Lrs) -> None:
        inner = {name: value for name, value in statement("bob").items() if name != "id"}
        sent = statement(object={**inner, "objectType": "SubStatement", "attachments": [attachment(SMALL)]})
        assert (await send(lrs, multipart(sent, SMALL))).status_code == 200
        assert parts_of(await lrs.get(attachments="true"))[1].data == SMALL

    async def test_preamble_padding_and_epilogue(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        content = multipart(sent, SMALL).replace(BOUNDARY.encode() + CRLF, BOUNDARY.encode() + b" \t" + CRLF)
        answer = await send(lrs, b"To whom\r\n--it may concern\r\n" + content + b"farewell")
        assert answer.status_code == 200, answer.text

    async def test_no_transfer_encoding_is_binary(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        content = body(statements_part(sent), part(SMALL, {"Content-Transfer-Encoding": None}))
        assert (await send(lrs, content)).status_code == 200

    async def test_the_same_again(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        for _ in range(2):
            assert (await send(lrs, multipart(sent, SMALL))).json() == [sent["id"]]
        assert (await lrs.stored(), len(await stored(lrs))) == (1, 1)

    async def test_a_learner_who_does_not_allow_it(self, lrs: Lrs) -> None:
        await lrs.decide(await lrs.learner("ada"), "withdrawn")  # type: ignore[arg-type] # a StrEnum's value
        answer = await send(lrs, multipart(statement(attachments=[attachment(SMALL)]), SMALL))
        assert answer.headers["Trellis-Not-Recorded"] == "1"
        assert await stored(lrs) == []


def wrong_bodies() -> list[Any]:
    sent = statement(attachments=[attachment(SMALL)])
    first = statements_part(sent)
    whole = multipart(sent, SMALL)
    text = {"Content-Type": "text/plain"}
    cases: dict[str, tuple[bytes, str]] = {
        "no data": (multipart(sent), "expected a fileUrl"),
        "data of no attachment": (body(first, part(SMALL), part(OTHER)), "part 3, X-Experience-API-Hash"),
        "other data": (body(first, part(OTHER, {"X-Experience-API-Hash": sha2(SMALL)})), "part 2"),
        "no hash": (body(first, part(SMALL, {"X-Experience-API-Hash": None})), "part 2, X-Experience-API-Hash"),
        "base64": (body(first, part(SMALL, {"Content-Transfer-Encoding": "base64"})), "part 2, Content-Transfer"),
        "another type": (body(first, part(SMALL, {"Content-Type": "image/png"})), "part 2, Content-Type"),
        "another length": (body(first, part(SMALL, {"Content-Length": "1"})), "part 2, Content-Length"),
        "statements in two parts": (body(first, first, part(SMALL)), "part 2"),
        "first part is text": (body((text, first[1]), part(SMALL)), "part 1, Content-Type"),
        "first part has no type": (body(({}, first[1]), part(SMALL)), "part 1, Content-Type"),
        "no last boundary": (whole[: whole.rindex(b"--" + BOUNDARY.encode())], "expected the last boundary"),
        "cut in the data": (whole[:-40], "expected the last boundary"),
        "no boundary at all": (first[1], "expected the first boundary"),
        "only the last boundary": (f"--{BOUNDARY}--\r\n".encode(), "expected the first boundary"),
        "lines end in LF": (whole.replace(CRLF, b"\n"), "expected the first boundary"),
        "empty": (b"", "expected the first boundary"),
        "a header twice": (
            whole.replace(b"Content-Transfer", b"Content-Type: a/b\r\nContent-Transfer"),
            "once in a part",
        ),
        "wrong statement": (multipart({**sent, "verb": {}}, SMALL), "/verb/id"),
    }
    return [pytest.param(content, detail, id=name) for name, (content, detail) in cases.items()]


class TestWrong:
    @pytest.mark.parametrize(("content", "detail"), wrong_bodies())
    async def test_body(self, lrs: Lrs, content: bytes, detail: str) -> None:
        refused(await send(lrs, content), detail)
        assert (await lrs.stored(), await stored(lrs)) == (0, [])

    @pytest.mark.parametrize("parameter", ["", "; boundary=", '; boundary="a "', f"; boundary={'x' * 71}"])
    async def test_boundary(self, lrs: Lrs, parameter: str) -> None:
        answer = await send(lrs, multipart(statement()), f"multipart/mixed{parameter}")
        assert places(answer) == {"header:Content-Type"}

    async def test_json_needs_a_file_url(self, lrs: Lrs) -> None:
        answer = await lrs.post([statement(), statement(attachments=[attachment(SMALL)])])
        assert places(answer) == {"/1/attachments/0/fileUrl"}

    async def test_put_of_an_array(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        headers = {"X-Experience-API-Version": "1.0.3", "Content-Type": CONTENT_TYPE}
        params = {"statementId": sent["id"]}
        content = multipart([sent], SMALL)
        answer = await lrs.http.put(STATEMENTS, content=content, params=params, headers=headers, auth=lrs.auth)
        assert answer.status_code == 400

    async def test_conflict_leaves_what_is_stored(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        await send(lrs, multipart(sent, SMALL))
        other = {**sent, "attachments": [attachment(OTHER)]}
        assert (await send(lrs, multipart(other, OTHER))).status_code == 409
        assert [p.data for p in parts_of(await lrs.get(statementId=sent["id"], attachments="true"))[1:]] == [SMALL]


class TestLimits:
    async def test_statements_are_limited_as_json_is(self, lrs: Lrs) -> None:
        content = body(({"Content-Type": "application/json"}, b" " * (HttpSettings().body_limit_bytes + 1)))
        assert (await send(lrs, content)).status_code == 413

    async def test_data_may_be_larger(self, lrs: Lrs) -> None:
        data = b"x" * (HttpSettings().body_limit_bytes + 1)
        sent = statement(attachments=[attachment(data)])
        assert (await send(lrs, multipart(sent, data))).status_code == 200

    async def test_number_of_attachments(self, lrs: Lrs) -> None:
        sent = statement(attachments=[attachment(SMALL)])
        content = body(statements_part(sent), *[part(SMALL)] * 101)
        answer = await send(lrs, content)
        assert answer.status_code == 413
        assert "100 attachments" in answer.json()["detail"]

    @pytest.mark.parametrize("is_declared", [True, False])
    async def test_of_the_whole(self, environment: pytest.MonkeyPatch, tokens: Tokens, is_declared: bool) -> None:
        environment.setenv("TRELLIS_MULTIPART_LIMIT_BYTES", str(len(LARGE)))
        async with running(tokens) as lrs:
            content = multipart(statement(attachments=[attachment(LARGE)]), LARGE)

            async def pieces() -> AsyncIterator[bytes]:
                for start in range(0, len(content), 10_000):
                    yield content[start : start + 10_000]

            answer = await lrs.http.post(
                STATEMENTS,
                content=content if is_declared else pieces(),
                headers={"X-Experience-API-Version": "1.0.3", "Content-Type": CONTENT_TYPE},
                auth=lrs.auth,
            )
            assert answer.status_code == 413
            assert (await lrs.stored(), await stored(lrs)) == (0, [])
            assert (await send(lrs, multipart(statement(attachments=[attachment(SMALL)]), SMALL))).status_code == 200

    async def test_only_for_statements(self, lrs: Lrs) -> None:
        content = b"x" * (HttpSettings().body_limit_bytes + 1)
        headers = {"X-Experience-API-Version": "1.0.3", "Content-Type": CONTENT_TYPE}
        params = {"activityId": "https://example.org/1", "profileId": "p"}
        answer = await lrs.http.post(
            "/xapi/activities/profile", content=content, params=params, headers=headers, auth=lrs.auth
        )
        assert answer.status_code == 413

    async def test_no_room(self, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the folder of temporary files is full or away."""
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
        answer = await send(lrs, multipart(statement(attachments=[attachment(LARGE)]), LARGE))
        assert (answer.status_code, await lrs.stored()) == (503, 0)
        assert "Retry-After" in answer.headers


class TestGet:
    @pytest.fixture
    async def sent(self, lrs: Lrs) -> Json:
        sent = statement(attachments=[attachment(SMALL)])
        assert (await send(lrs, multipart(sent, SMALL))).status_code == 200
        return sent

    @pytest.mark.parametrize("params", [{}, {"attachments": "false"}])
    async def test_without(self, lrs: Lrs, sent: Json, params: dict[str, str]) -> None:
        answer = await lrs.get(statementId=sent["id"], **params)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["attachments"] == sent["attachments"]

    async def test_list(self, lrs: Lrs, sent: Json) -> None:
        await lrs.post(statement())
        first, data = parts_of(await lrs.get(attachments="true"))
        assert len(json.loads(first.data)["statements"]) == 2
        assert data.data == SMALL

    async def test_empty_list(self, lrs: Lrs) -> None:
        (first,) = parts_of(await lrs.get(attachments="true", verb="https://example.org/never"))
        assert json.loads(first.data) == {"statements": [], "more": ""}

    async def test_more_goes_on_so(self, lrs: Lrs) -> None:
        for data in (SMALL, OTHER):
            await send(lrs, multipart(statement(attachments=[attachment(data)]), data))
        first, last = parts_of(await lrs.get(attachments="true", limit=1))
        assert last.data == OTHER
        _, last = parts_of(await lrs.get(json.loads(first.data)["more"]))
        assert last.data == SMALL

    @pytest.mark.parametrize("form", ["ids", "canonical"])
    async def test_in_each_format(self, lrs: Lrs, sent: Json, form: str) -> None:
        first, data = parts_of(await lrs.get(attachments="true", format=form))
        assert json.loads(first.data)["statements"][0]["id"] == sent["id"]
        assert data.data == SMALL

    async def test_head(self, lrs: Lrs, sent: Json) -> None:
        params = {"statementId": sent["id"], "attachments": "true"}
        headers = {"X-Experience-API-Version": "1.0.3"}
        answer = await lrs.http.head(STATEMENTS, params=params, headers=headers, auth=lrs.auth)
        whole = await lrs.get(**params)
        assert answer.content == b""
        for name in ("Content-Length", "ETag", "Last-Modified"):
            assert answer.headers[name] == whole.headers[name]
        assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")

    async def test_of_a_voided_statement(self, lrs: Lrs, sent: Json) -> None:
        await lrs.post(
            statement(
                verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
                object={"objectType": "StatementRef", "id": sent["id"]},
            )
        )
        assert parts_of(await lrs.get(voidedStatementId=sent["id"], attachments="true"))[1].data == SMALL

    async def test_a_media_type_stays_on_its_line(self, lrs: Lrs) -> None:
        odd = statement(attachments=[attachment(SMALL, "text/plain;\r\tname=ü")])
        content = body(statements_part(odd), part(SMALL))
        assert (await send(lrs, content)).status_code == 200
        assert b"\r\nContent-Type: text/plain; name=?\r\n" in (await lrs.get(attachments="true")).content

    async def test_other_tenant(self, lrs: Lrs, sent: Json) -> None:
        other = await lrs.other_tenant()
        answer = await other.get(statementId=sent["id"], attachments="true")
        assert answer.status_code == 404
        assert len(parts_of(await other.get(attachments="true"))) == 1

    async def test_mine_alone(self, lrs: Lrs, sent: Json) -> None:
        _, reader = await lrs.credential("statements/write", "statements/read/mine")
        assert len(parts_of(await lrs.get(attachments="true", auth=reader))) == 1

    async def test_someone_elses_hash_gives_nothing(self, lrs: Lrs, sent: Json) -> None:
        """To know the hash of data is not to have it: another learner's statement gets none of it."""
        linked = statement("mallory", attachments=[attachment(SMALL, fileUrl="https://example.org/1")])
        assert (await lrs.post(linked)).status_code == 200
        assert len(parts_of(await lrs.get(agent=json.dumps(agent("mallory")), attachments="true"))) == 1


async def test_ids_are_made(lrs: Lrs) -> None:
    sent = statement(attachments=[attachment(SMALL)])
    del sent["id"]
    (made,) = (await send(lrs, multipart(sent, SMALL))).json()
    assert uuid4().hex != made
    assert parts_of(await lrs.get(statementId=made, attachments="true"))[1].data == SMALL

"""What is refused for its size or its encoding, and what browsers are told."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.integration.ingest.lrs import STATEMENTS, Lrs, running, statement
from tests.support.tokens import Tokens

MIB = 1024 * 1024
PREFLIGHT = {
    "Origin": "https://content.example",
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization, content-type, if-match, x-experience-api-version",
}


async def chunked(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


class TestCompressedBodies:
    @pytest.mark.parametrize(("encoding", "size"), [("gzip", 7), ("GZip", MIB), ("x-gzip", 99), ("deflate", 7)])
    async def test_opened_as_they_come(self, lrs: Lrs, encoding: str, size: int) -> None:
        sent = [statement() for _ in range(50)]
        body = json.dumps(sent).encode()
        packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body)
        headers = {"Content-Type": "application/json", "X-Experience-API-Version": "1.0.3"}
        answer = await lrs.http.post(
            STATEMENTS, content=chunked(packed, size), headers=headers | {"Content-Encoding": encoding}, auth=lrs.auth
        )
        assert (answer.status_code, answer.json()) == (200, [one["id"] for one in sent])

    async def test_identity_is_none(self, lrs: Lrs) -> None:
        assert (await lrs.post(statement(), headers={"Content-Encoding": "identity"})).status_code == 200

    async def test_the_alternate_syntax_may_be_compressed(self, lrs: Lrs) -> None:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
        answer = await lrs.post(gzip.compress(b"limit=1"), params={"method": "GET"}, headers=headers)
        assert answer.json() == {"statements": [], "more": ""}

    @pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
    async def test_unknown(self, lrs: Lrs, encoding: str) -> None:
        answer = await lrs.post(statement(), headers={"Content-Encoding": encoding})
        assert answer.status_code == 415
        assert answer.headers["Accept-Encoding"] == "gzip, deflate"
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"

    async def test_broken(self, lrs: Lrs) -> None:
        packed = gzip.compress(json.dumps(statement()).encode())
        for body in (b"{}", packed[:-1], packed[:40], packed + b"x", packed + packed):
            assert (await lrs.post(body, headers={"Content-Encoding": "gzip"})).status_code == 400
        assert await lrs.stored() == 0

    async def test_bombs_end_at_the_limit(self, lrs: Lrs) -> None:
        bomb = gzip.compress(b" " * 64 * MIB)
        assert len(bomb) < MIB // 8
        for content in (bomb, chunked(bomb, 1000)):
            answer = await lrs.http.post(
                STATEMENTS,
                content=content,
                headers={"Content-Encoding": "gzip", "X-Experience-API-Version": "1.0.3"},
                auth=lrs.auth,
            )
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (413, "too-large")

    async def test_what_opens_to_nothing_ends_too(self, lrs: Lrs) -> None:
        stream = zlib.compressobj(wbits=31)
        empty = stream.compress(b"") + b"".join(stream.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
        empty += b"\x00\x00\x00\xff\xff" * 100_000  # blocks of no bytes
        assert (await lrs.post(empty, headers={"Content-Encoding": "gzip"})).status_code == 413


class TestStatementsInOneRequest:
    async def test_the_limit_is_a_setting(self, environment: pytest.MonkeyPatch, tokens: Tokens) -> None:
        environment.setenv("TRELLIS_XAPI_STATEMENTS_LIMIT", "3")
        async with running(tokens) as lrs:
            assert (await lrs.post([statement() for _ in range(3)])).status_code == 200
            answer = await lrs.post([statement() for _ in range(4)])
            assert answer.status_code == 413
            assert "at most 3" in answer.json()["detail"]
            assert await lrs.stored() == 3

    @pytest.mark.long
    async def test_the_largest_batch_is_stored_at_once(self, lrs: Lrs) -> None:
        """5,000 statements, near the limit of the body: one transaction, of several entries in MongoDB's oplog."""
        sent = [statement(f"learner-{i}", result={"response": "x" * 1200}) for i in range(5_000)]
        answer = await lrs.post(sent)
        assert (answer.status_code, answer.json()) == (200, [one["id"] for one in sent])
        assert await lrs.stored() == 5_000

    async def test_deep_json_is_wrong_input(self, lrs: Lrs) -> None:
        deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
        assert (await lrs.post(deep)).status_code == 400


class TestBrowsers:
    async def test_preflight(self, lrs: Lrs) -> None:
        for path in (STATEMENTS, "/xapi/activities/state", "/xapi/about"):
            answer = await lrs.http.options(path, headers=PREFLIGHT)
            assert answer.status_code == 200
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
            assert answer.headers["Access-Control-Allow-Headers"] == PREFLIGHT["Access-Control-Request-Headers"]
            assert "Access-Control-Allow-Credentials" not in answer.headers

    async def test_answers_can_be_read_errors_too(self, lrs: Lrs) -> None:
        for auth in (lrs.auth, httpx2.BasicAuth("no", "body")):
            answer = await lrs.get(headers={"Origin": "https://content.example"}, auth=auth)
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            exposed = {one.strip() for one in answer.headers["Access-Control-Expose-Headers"].split(",")}
            assert exposed >= {
                *("ETag", "Last-Modified", "Trellis-Not-Recorded"),
                *("X-Experience-API-Version", "X-Experience-API-Consistent-Through"),
            }

    async def test_origins_are_a_setting(self, environment: pytest.MonkeyPatch, tokens: Tokens) -> None:
        environment.setenv("TRELLIS_XAPI_CORS_ORIGINS", "https://content.example, https://lms.example")
        async with running(tokens) as lrs:
            assert (await lrs.http.options(STATEMENTS, headers=PREFLIGHT)).status_code == 200
            other = PREFLIGHT | {"Origin": "https://other.example"}
            assert (await lrs.http.options(STATEMENTS, headers=other)).status_code == 400
            for origin, allowed in (("https://lms.example", "https://lms.example"), ("https://other.example", None)):
                answer = await lrs.get(headers={"Origin": origin})
                assert answer.headers.get("Access-Control-Allow-Origin") == allowed

    async def test_none_at_all(self, environment: pytest.MonkeyPatch, tokens: Tokens) -> None:
        environment.setenv("TRELLIS_XAPI_CORS_ORIGINS", "")
        async with running(tokens) as lrs:
            assert (await lrs.http.options(STATEMENTS, headers=PREFLIGHT)).status_code == 400
            answer = await lrs.get(headers={"Origin": "https://content.example"})
            assert "Access-Control-Allow-Origin" not in answer.headers

    async def test_operators_resources_are_not_for_pages_of_others(self, lrs: Lrs) -> None:
        answer = await lrs.http.options("/credentials", headers=PREFLIGHT)
        assert answer.status_code == 405
        assert "Access-Control-Allow-Origin" not in answer.headers

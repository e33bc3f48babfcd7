"""Signed statements over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.ingest.lrs import Lrs, places, running, statement
from tests.support.multipart_mixed import (
    CONTENT_TYPE,
    SIGNATURE,
    attachment,
    body,
    part,
    statements_part,
    taken_apart,
)
from tests.support.signing import signer

OCTETS = "application/octet-stream"
Json = dict[str, Any]


def signed(sent: Json, data: bytes) -> Json:
    return {**sent, "attachments": [*sent.get("attachments", ()), attachment(data, OCTETS, usageType=SIGNATURE)]}


async def send(lrs: Lrs, statements: Any, *data: bytes) -> httpx2.Response:
    content = body(statements_part(statements), *(part(one, {"Content-Type": OCTETS}) for one in data))
    return await lrs.post(content, headers={"Content-Type": CONTENT_TYPE})


async def test_signed(lrs: Lrs) -> None:
    sent = statement()
    data = signer("signer").sign(sent)
    answer = await send(lrs, signed(sent, data), data)
    assert answer.status_code == 200, answer.text
    kept = await lrs.get(statementId=sent["id"], attachments="true")
    assert taken_apart(kept.headers["Content-Type"], kept.content)[1].data == data


async def test_without_an_id(lrs: Lrs) -> None:
    sent = {name: value for name, value in statement().items() if name != "id"}
    data = signer("signer").sign(sent)
    assert (await send(lrs, signed(sent, data), data)).status_code == 200


async def test_the_wrong_one_of_a_batch_is_named(lrs: Lrs) -> None:
    """By its part, and by its place in the statements."""
    good, bad = statement("ada"), statement("bob")
    of_good, of_bad = signer("signer").sign(good), signer().sign({**bad, "id": good["id"]})
    answer = await send(lrs, [signed(good, of_good), signed(bad, of_bad)], of_good, of_bad)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["part"], error["pointer"]) == (3, "/1/attachments/0")
    assert "they differ at /id" in error["detail"]
    assert await lrs.stored() == 0


async def test_a_signature_is_there_or_the_statement_is_not(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: a signature cannot be checked where it is only linked to."""
    sent = statement(attachments=[attachment(b"jws", OCTETS, usageType=SIGNATURE, fileUrl="https://example.org/jws")])
    assert places(await lrs.post(sent)) == {"/attachments/0"}
    assert places(await send(lrs, sent)) == {"/attachments/0"}


async def test_a_signature_has_a_size(lrs: Lrs) -> None:
    data = b"x" * (17 * 1024 * 1024)
    answer = await send(lrs, signed(statement(), data), data)
    assert answer.status_code == 413


async def test_signatures_have_a_size_in_all(lrs: Lrs) -> None:
    """One that many statements name is as much work as many."""
    sent = {name: value for name, value in statement().items() if name != "id"}
    data = signer("signer").sign(json.dumps(sent).encode() + b" " * 3_000_000)
    assert (await send(lrs, [signed(sent, data)], data)).status_code == 200
    answer = await send(lrs, [signed(sent, data)] * 9, data)
    assert answer.status_code == 413
    assert "signatures" in answer.json()["detail"]


async def test_trusted_roots(environment: pytest.MonkeyPatch, tokens: Any, tmp_path: Any) -> None:
    file = tmp_path / "roots.pem"
    file.write_bytes(signer("signer").chain[-1].public_bytes(Encoding.PEM))
    environment.setenv("TRELLIS_SIGNATURE_ROOTS", str(file))
    async with running(tokens) as lrs:
        for name, status in (("signer", 200), ("bob", 400)):
            sent = statement()
            data = signer(name).sign(sent)
            answer = await send(lrs, signed(sent, data), data)
            assert answer.status_code == status, answer.text

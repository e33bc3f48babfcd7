"""Data 2.6 (1.0.3), 4.2.6 (2.0): signed statements."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from jwt import PyJWS

from tests.conformance.lrs_client import Lrs, statement
from tests.support.multipart_mixed import CONTENT_TYPE, SIGNATURE, attachment, body, part, statements_part, taken_apart
from tests.support.signing import signer

OCTETS = "application/octet-stream"
Json = dict[str, Any]


def send(lrs: Lrs, sent: Json, data: bytes, content_type: str = OCTETS) -> httpx2.Response:
    signed = {**sent, "attachments": [attachment(data, content_type, usageType=SIGNATURE)]}
    content = body(statements_part(signed), part(data, {"Content-Type": content_type}))
    return lrs.post(content, headers={"Content-Type": CONTENT_TYPE})


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_each_of_the_three_algorithms_is_accepted(lrs: Lrs, algorithm: str) -> None:
    """1.0.3 Data 2.6: RS256, RS384 or RS512."""
    sent = statement()
    assert send(lrs, sent, signer("signer").sign(sent, algorithm)).status_code == 200


def test_any_other_algorithm_is_refused(lrs: Lrs) -> None:
    """1.0.3 Data 2.6."""
    sent = statement()
    data = PyJWS().encode(str(sent).encode(), "a secret of thirty-two bytes, more", "HS256").encode()
    assert send(lrs, sent, data).status_code == 400


def test_its_content_type_is_octets(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: application/octet-stream."""
    sent = statement()
    assert send(lrs, sent, signer("signer").sign(sent), "text/plain").status_code == 400


def test_what_is_no_jws_is_refused(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: malformed signatures."""
    assert send(lrs, statement(), b"malformed").status_code == 400


@pytest.mark.parametrize("payload", [b"{'actor': 1}", b"[]", b"{}"])
def test_the_payload_is_a_statement(lrs: Lrs, payload: bytes) -> None:
    """1.0.3 Data 2.6: a valid JSON serialization of the complete statement."""
    assert send(lrs, statement(), signer("signer").sign(payload)).status_code == 400


def test_the_payload_is_equivalent_to_the_statement(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: as statements are compared (2.3.1)."""
    sent = statement()
    assert send(lrs, sent, signer("signer").sign({**sent, "result": {"success": True}})).status_code == 400
    assert send(lrs, sent, signer("signer").sign(dict(reversed(sent.items())))).status_code == 200


def test_the_signature_is_the_certificates(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: where the header has x5c it is validated against that."""
    sent = statement()
    answer = send(lrs, sent, signer("signer").sign(sent, x5c=signer("bob").x5c))
    assert answer.status_code == 400
    assert "part 2" in answer.json()["detail"]


def test_a_signature_is_attached(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: it is part of the request; a link to it is not it."""
    link = attachment(b"jws", OCTETS, usageType=SIGNATURE, fileUrl="https://example.org/jws")
    assert lrs.post(statement(attachments=[link])).status_code == 400


def test_it_is_given_back_as_it_was_received(lrs: Lrs) -> None:
    """1.0.3 Data 2.6: so that others can verify it."""
    sent = statement()
    data = signer("signer").sign(sent)
    send(lrs, sent, data)
    answer = lrs.get(statementId=sent["id"], attachments="true")
    assert taken_apart(answer.headers["Content-Type"], answer.content)[1].data == data

"""Signatures of statements (1.0.3 Data 2.6)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from ingest.attachments.signatures import Signatures, WrongSignature
from ingest.attachments.signatures import check as checked
from jwt import PyJWS
from xapi import Version, parse_statement

from tests.support.multipart_mixed import SIGNATURE, attachment
from tests.support.signing import Signer, elliptic_certificate, issued_by, signer

Json = dict[str, Any]

STATEMENT: Json = {
    "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
    "actor": {"mbox": "mailto:ada@example.org", "name": "Ada"},
    "verb": {"id": "https://example.org/verbs/passed", "display": {"en": "passed"}},
    "object": {"id": "https://example.org/activities/1"},
    "result": {"score": {"scaled": 0.5}, "success": True},
    "timestamp": "2026-03-01T12:00:00Z",
}


def signed(data: bytes, statement: Json = STATEMENT, content_type: str = "application/octet-stream") -> Json:
    own = attachment(data, content_type, usageType=SIGNATURE)
    return {**statement, "attachments": [*statement.get("attachments", ()), own]}


def check(raw: Json, data: bytes, signatures: Signatures | None = None, version: Version = Version.V1_0_3) -> None:
    parse_statement(json.dumps(raw).encode(), version)
    checked(raw, raw["attachments"][-1], (signatures or Signatures()).signed(data, version))


def refused(raw: Json, data: bytes, reason: str, signatures: Signatures | None = None) -> None:
    with pytest.raises(WrongSignature, match=reason):
        check(raw, data, signatures)


@pytest.fixture(scope="module")
def ada() -> Signer:
    return signer()


class TestGood:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
    @pytest.mark.parametrize("version", [Version.V1_0_3, Version.V2_0_0])
    def test_each_algorithm(self, ada: Signer, algorithm: str, version: Version) -> None:
        data = ada.sign(STATEMENT, algorithm)
        check(signed(data), data, version=version)

    def test_without_a_certificate(self, ada: Signer) -> None:
        """Whose signature it is cannot be said then, only that what was signed is what was received."""
        data = ada.sign(STATEMENT, x5c=None)
        check(signed(data), data)

    def test_what_is_equivalent(self, ada: Signer) -> None:
        """1.0.3 Data 2.3.1: another order, another way to write the same time, no id where one has none."""
        data = ada.sign(
            json.dumps({**dict(reversed(STATEMENT.items())), "timestamp": "2026-03-01T13:00:00+01:00"}).encode()
        )
        check(signed(data), data)
        data = ada.sign({name: value for name, value in STATEMENT.items() if name not in ("id", "timestamp")})
        check(signed(data), data)

    def test_other_attachments_are_signed_too(self, ada: Signer) -> None:
        photo = {**STATEMENT, "attachments": [attachment(b"photo")]}
        data = ada.sign(photo)
        check(signed(data, photo), data)

    def test_two_signatures(self, ada: Signer) -> None:
        """The second may be of the statement with the first, or of the same as the first."""
        first = ada.sign(STATEMENT)
        once = signed(first)
        for payload in (once, STATEMENT):
            second = signer("bob").sign(payload)
            twice = signed(second, once)
            check(twice, second)
            checked(twice, twice["attachments"][0], Signatures().signed(first, Version.V1_0_3))


class TestWrong:
    def test_content_type(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT)
        refused(signed(data, content_type="text/plain"), data, "contentType application/octet-stream")

    @pytest.mark.parametrize(
        "change", [{"verb": {"id": "https://example.org/verbs/failed"}}, {"result": {"success": False}}]
    )
    def test_another_statement(self, ada: Signer, change: Json) -> None:
        data = ada.sign({**STATEMENT, **change})
        refused(signed(data), data, "they differ at /")

    def test_an_attachment_that_was_not_signed(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT)
        refused(signed(data, {**STATEMENT, "attachments": [attachment(b"photo")]}), data, "they differ at /attachments")

    @pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b'{"actor":{}}'])
    def test_no_statement(self, ada: Signer, payload: bytes) -> None:
        data = ada.sign(payload)
        refused(signed(data), data, "a valid statement")

    def test_changed_payload(self, ada: Signer) -> None:
        header, _, signature = ada.sign({**STATEMENT, "result": {"success": False}}).split(b".")
        payload = base64.urlsafe_b64encode(json.dumps(STATEMENT).encode()).rstrip(b"=")
        data = b".".join([header, payload, signature])
        refused(signed(data), data, "that verifies")

    def test_someone_elses_certificate(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT, x5c=signer("bob").x5c)
        refused(signed(data), data, "that verifies")

    @pytest.mark.parametrize("data", [b"", b"a.b", b"a.b.c", b"\xff\xfe.\xff.\xff", b'{"payload":"","signatures":[]}'])
    def test_no_compact_serialization(self, data: bytes) -> None:
        refused(signed(data), data, "JWS in compact serialization")

    def test_symmetric_algorithm(self) -> None:
        data = PyJWS().encode(json.dumps(STATEMENT).encode(), "a secret of thirty-two bytes, more", "HS256").encode()
        refused(signed(data), data, "RS256, RS384, RS512")

    def test_no_algorithm(self) -> None:
        data = PyJWS().encode(json.dumps(STATEMENT).encode(), None, "none").encode()  # type: ignore[arg-type] # none
        refused(signed(data), data, "RS256, RS384, RS512")

    @pytest.mark.parametrize("x5c", [[], "abc", [7], ["%%%"], ["YWJj"], ["YWJj"] * 11])
    def test_no_certificates(self, ada: Signer, x5c: Any) -> None:
        data = ada.sign(STATEMENT, x5c=x5c)
        refused(signed(data), data, "in x5c")

    def test_certificate_of_another_kind(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT, x5c=[elliptic_certificate()])
        refused(signed(data), data, "an RSA key")

    def test_detached_payload(self, ada: Signer) -> None:
        header = base64.urlsafe_b64encode(b'{"alg":"RS256","b64":false,"crit":["b64"]}').rstrip(b"=")
        data = header + b".." + ada.sign(STATEMENT).split(b".")[2]
        refused(signed(data), data, "JWS in compact serialization")

    @pytest.mark.parametrize("name", ["id", "timestamp"])
    def test_what_was_signed_and_not_sent(self, ada: Signer, name: str) -> None:
        """The store would set another, and keep a statement that nobody signed."""
        data = ada.sign(STATEMENT)
        sent = {key: value for key, value in STATEMENT.items() if key != name}
        refused(signed(data, sent), data, f"lacks /{name}")
        data = ada.sign(sent)
        check(signed(data), data)


class TestRoots:
    def test_a_chain_to_a_root(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT)
        check(signed(data), data, Signatures([ada.chain[-1]]))

    def test_another_root(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT)
        refused(signed(data), data, "trusted here", Signatures([signer("bob").chain[-1]]))

    def test_no_chain(self, ada: Signer) -> None:
        data = ada.sign(STATEMENT, x5c=None)
        refused(signed(data), data, "the certificate chain", Signatures([ada.chain[-1]]))

    def test_a_signer_is_no_authority(self, ada: Signer) -> None:
        """Whoever has a certificate cannot issue another with it."""
        data = issued_by(ada).sign(STATEMENT)
        check(signed(data), data)
        refused(signed(data), data, "trusted here", Signatures([ada.chain[-1]]))

    def test_from_a_file(self, ada: Signer, tmp_path: Any) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(ada.chain[-1].public_bytes(Encoding.PEM))
        data = ada.sign(STATEMENT)
        check(signed(data), data, Signatures.trusting(str(file)))
        refused(
            signed(signer("bob").sign(STATEMENT)),
            signer("bob").sign(STATEMENT),
            "trusted",
            Signatures.trusting(str(file)),
        )

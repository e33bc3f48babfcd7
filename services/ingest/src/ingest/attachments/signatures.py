"""Signed statements (1.0.3 Data 2.6; 2.0 4.2.6): an attachment that is a JSON Web Signature of the statement.

Checked is what the standard asks of a store: that the signature is well formed, that what was signed is what was
received, and that the signature is that of the certificate which it carries. Who that certificate belongs to is looked
at only where roots are given; without them an accepted signature proves no signer.
"""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError
from jwt import PyJWS
from jwt.exceptions import InvalidTokenError
from xapi import StatementInvalid, Version, difference, parse_statement
from xapi.parsing import JsonObject

USAGE: Final = "http://adlnet.gov/expapi/attachments/signature"
CONTENT_TYPE: Final = "application/octet-stream"
ALGORITHMS: Final = ("RS256", "RS384", "RS512")
_MOST_CERTIFICATES: Final = 10
_SET_WHERE_MISSING: Final = ("id", "timestamp")
"""Where they were signed and not sent the store would set others, and the signature would be of another statement."""


class WrongSignature(Exception):
    """Says what was expected."""


class Signatures:
    """`roots`: certificates to one of which every signature's chain must lead; none: no chain is asked for."""

    def __init__(self, roots: Sequence[x509.Certificate] = ()) -> None:
        self._roots = Store(list(roots)) if roots else None

    @classmethod
    def trusting(cls, path: str) -> "Signatures":
        """By a PEM file; an empty path: no roots."""
        return cls(x509.load_pem_x509_certificates(Path(path).read_bytes()) if path else ())

    def signed(self, data: bytes, version: Version) -> JsonObject:
        """The statement that a signature signs. Raises `WrongSignature`."""
        payload = self._verified(data)
        try:
            return parse_statement(payload, version).raw
        except StatementInvalid as error:
            first = error.errors[0]
            where = first.path or "its beginning"
            raise WrongSignature(f"expected a valid statement as what was signed; at {where}: {first.reason}") from None

    def _verified(self, data: bytes) -> bytes:
        """The payload of a JWS in compact serialization."""
        try:
            header = _JWS.get_unverified_header(data.partition(b".")[0] + b"..")  # without decoding the rest twice
            if header.get("alg") not in ALGORITHMS:
                raise WrongSignature(f"expected one of the algorithms {', '.join(ALGORITHMS)}")
            chain = _chain(header)
            if chain:
                payload: bytes = _JWS.decode(data, _rsa_key(chain[0]), list(ALGORITHMS))
            else:
                payload = _JWS.decode(data, options={"verify_signature": False})
        except InvalidTokenError as error:
            raise WrongSignature(f"expected a JWS in compact serialization that verifies: {error}") from None
        self._trust(chain)
        return payload

    def _trust(self, chain: Sequence[x509.Certificate]) -> None:
        if self._roots is None:
            return
        if not chain:
            raise WrongSignature("expected the certificate chain of the signer in x5c")
        # Certificates of signers are no servers': of them the chain, the dates and the keys are looked at.
        authority, signer = ExtensionPolicy.webpki_defaults_ca(), ExtensionPolicy.permit_all()
        policy = PolicyBuilder().store(self._roots).extension_policies(ca_policy=authority, ee_policy=signer)
        try:
            policy.build_client_verifier().verify(chain[0], list(chain[1:]))
        except VerificationError:
            raise WrongSignature("expected a chain in x5c that leads to a certificate trusted here") from None


_JWS: Final = PyJWS()


def check(raw: JsonObject, attachment: JsonObject, signed: JsonObject) -> None:
    """`raw` is the statement as received, `attachment` the signature in it. Raises `WrongSignature`."""
    if attachment["contentType"].partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise WrongSignature(f"expected the contentType {CONTENT_TYPE} of a signature")
    for name in _SET_WHERE_MISSING:
        if name in signed and name not in raw:
            raise WrongSignature(f"expected the received statement as what was signed; it lacks /{name}")
    place = difference(_without_none(signed), _before_signing(raw, signed))
    if place is not None:
        raise WrongSignature(f"expected the received statement as what was signed; they differ at {place}")


def is_signature(attachment: JsonObject) -> bool:
    return bool(attachment["usageType"] == USAGE)


def signatures_of(raw: JsonObject) -> list[str]:
    """The SHA-2 of each signature of a valid statement, in lower case."""
    return [one["sha2"].lower() for one in raw.get("attachments", ()) if is_signature(one)]


def _chain(header: dict[str, Any]) -> list[x509.Certificate]:
    given = header.get("x5c", [])
    if not isinstance(given, list) or len(given) > _MOST_CERTIFICATES:
        raise WrongSignature(f"expected in x5c an array of up to {_MOST_CERTIFICATES} certificates")
    if "x5c" in header and not given:
        raise WrongSignature("expected in x5c at least one certificate")
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in given]
    except (TypeError, ValueError, binascii.Error):
        raise WrongSignature("expected in x5c certificates as RFC 7515 4.1.6 writes them") from None


def _rsa_key(certificate: x509.Certificate) -> RSAPublicKey:
    try:
        key = certificate.public_key()
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise WrongSignature("expected a certificate with an RSA key first in x5c")
    return key


def _before_signing(raw: JsonObject, signed: JsonObject) -> JsonObject:
    """The statement without its signatures, but for those that were there when this one was made."""
    there = {one["sha2"].lower() for one in signed.get("attachments", ())}
    kept = [one for one in raw["attachments"] if not is_signature(one) or one["sha2"].lower() in there]
    return _without_none({**raw, "attachments": kept})


def _without_none(raw: JsonObject) -> JsonObject:
    """No attachments are the same as an empty list of them."""
    return raw if raw.get("attachments") else {name: value for name, value in raw.items() if name != "attachments"}

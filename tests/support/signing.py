"""Keys, certificates and signatures of statements, made for tests."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt import PyJWS

Json = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """A key, and the chain of certificates that names it, its own first."""

    name: str
    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def x5c(self) -> list[str]:
        return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in self.chain]

    def sign(self, payload: Json | bytes, algorithm: str = "RS256", **header: Any) -> bytes:
        """In compact serialization; `x5c=None` leaves the chain out."""
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {name: value for name, value in ({"x5c": self.x5c} | header).items() if value is not None}
        return PyJWS().encode(content, self.key, algorithm, headers).encode()


@cache
def signer(name: str = "signer") -> Signer:
    """One whose certificate a root of its own has issued; made once for each name."""
    root_key, key = _key(), _key()
    root = _certificate(f"root of {name}", root_key.public_key(), f"root of {name}", root_key, is_authority=True)
    leaf = _certificate(name, key.public_key(), f"root of {name}", root_key, is_authority=False)
    return Signer(name, key, (leaf, root))


@cache
def issued_by(issuer: Signer) -> Signer:
    """One whose certificate the other's has issued, though that is no authority's."""
    key = _key()
    leaf = _certificate("protege", key.public_key(), issuer.name, issuer.key, is_authority=False)
    return Signer("protege", key, (leaf, *issuer.chain))


@cache
def elliptic_certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("elliptic", key.public_key(), "elliptic", key, is_authority=False)
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(
    name: str,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    authority = x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )

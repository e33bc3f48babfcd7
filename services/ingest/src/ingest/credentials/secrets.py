"""Secrets: 256 random bits, so that a fast hash is as safe as a slow one."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_one_of(shown: str, digests: Iterable[str]) -> bool:
    """Whether a digest is one of those kept, without telling by its time how much of it is right."""
    return any(hmac.compare_digest(shown, kept) for kept in digests)


def parse_basic(header: str | None) -> tuple[str, str] | None:
    """Key and secret of a Basic Authorization header (RFC 7617); None where it is not one."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    key, colon, secret = decoded.partition(":")
    return (key, secret) if colon else None

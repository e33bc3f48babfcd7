"""`multipart/mixed` as an emitter writes it, and as a reader takes it apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

BOUNDARY = "abcABC0123'()+_,-./:=?"
CONTENT_TYPE = f'multipart/mixed; boundary="{BOUNDARY}"'
USAGE = "https://example.org/usage/photo"
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
CRLF = b"\r\n"

Json = dict[str, Any]


def sha2(data: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, data).hexdigest()


def attachment(data: bytes, content_type: str = "text/plain", *, algorithm: str = "sha256", **parts: Any) -> Json:
    return {
        "usageType": USAGE,
        "display": {"en": "A file"},
        "contentType": content_type,
        "length": len(data),
        "sha2": sha2(data, algorithm),
        **parts,
    }


def part(data: bytes, headers: Mapping[str, str | None] | None = None) -> tuple[dict[str, str], bytes]:
    """The part of an attachment; a header that is None is left out."""
    usual: dict[str, str | None] = {
        "Content-Type": "text/plain",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha2(data),
    }
    merged = usual | dict(headers or {})
    return {name: value for name, value in merged.items() if value is not None}, data


def statements_part(body: Json | Sequence[Json]) -> tuple[dict[str, str], bytes]:
    return {"Content-Type": "application/json"}, json.dumps(body).encode()


def body(*parts: tuple[Mapping[str, str], bytes], boundary: str = BOUNDARY) -> bytes:
    delimiter = b"--" + boundary.encode()
    pieces = [
        delimiter + CRLF + b"".join(f"{name}: {value}".encode() + CRLF for name, value in headers.items()) + CRLF + data
        for headers, data in parts
    ]
    return CRLF.join([*pieces, delimiter + b"--" + CRLF])


def multipart(statements: Json | Sequence[Json], *data: bytes) -> bytes:
    return body(statements_part(statements), *(part(one) for one in data))


@dataclass(frozen=True)
class Part:
    headers: Mapping[str, str]
    data: bytes


def taken_apart(content_type: str, content: bytes) -> list[Part]:
    """By the standard library's parser, which is not the one under test."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    assert message.is_multipart()
    assert not message.defects
    parts = []
    for one in message.iter_parts():
        assert not one.defects
        payload = one.get_payload(decode=True)
        assert isinstance(payload, bytes)
        parts.append(Part({name: str(value) for name, value in one.items()}, payload))
    return parts

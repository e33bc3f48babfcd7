"""What an answer says of its age and of whether it may be kept (RFC 9110 8.8, RFC 9111)."""

import hashlib
from email.utils import format_datetime

from fastapi import Request
from xapi.filters import Format

from ingest.statements.stamps import from_micros


def headers(form: Format) -> dict[str, str]:
    """A statement may be voided and a list grow at any time: whoever keeps an answer asks before using it again."""
    vary = "Authorization, X-Experience-API-Version"
    language = ", Accept-Language" if form == "canonical" else ""
    return {"Cache-Control": "private, no-cache", "Vary": vary + language}


def validators(content: bytes, stored: int) -> dict[str, str]:
    """Of one statement: when it was stored (2.0 4.1.6.1), and the SHA-1 of what is given (1.0.3 Communication 3.1)."""
    return {
        "Last-Modified": format_datetime(from_micros(stored).replace(microsecond=0), usegmt=True),
        "ETag": f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"',
    }


def is_known(request: Request, validators: dict[str, str]) -> bool:
    """Whether the caller already holds this answer (RFC 9110 13.1.2)."""
    known = request.headers.get("If-None-Match")
    if known is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return "*" in tags or validators["ETag"] in tags

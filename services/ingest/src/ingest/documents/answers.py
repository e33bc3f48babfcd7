"""Answers that carry an entity tag."""

from collections.abc import Mapping
from email.utils import format_datetime
from typing import Final

from fastapi import Request, Response

from ingest.documents.conditions import Conditions, tag_of
from ingest.statements.stamps import from_micros

_KEEP: Final = {
    "Cache-Control": "private, no-cache",  # with Last-Modified alone a browser would guess how long it may keep it
    "X-Content-Type-Options": "nosniff",
}


def conditions_of(request: Request) -> Conditions:
    """Headers sent several times count as one list (RFC 9110 5.3)."""
    match, none_match = (request.headers.getlist(name) for name in ("If-Match", "If-None-Match"))
    return Conditions(", ".join(match) if match else None, ", ".join(none_match) if none_match else None)


def tagged(
    request: Request,
    content: bytes,
    media_type: str,
    *,
    updated: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """200 with ETag and, where `updated` (microseconds) is given, Last-Modified; 304 where the sender holds it.

    The answer to HEAD has the same headers and no body.
    """
    tag = tag_of(content)
    carried = {"ETag": f'"{tag}"', **_KEEP, **(headers or {})}
    if updated is not None:
        carried["Last-Modified"] = format_datetime(from_micros(updated).replace(microsecond=0), usegmt=True)
    if conditions_of(request).is_known(tag):
        return Response(None, 304, carried)
    carried["Content-Type"] = media_type  # as it was sent: Response itself would add a charset to text
    if request.method == "HEAD":
        return Response(None, 200, carried | {"Content-Length": str(len(content))})
    return Response(content, 200, carried)

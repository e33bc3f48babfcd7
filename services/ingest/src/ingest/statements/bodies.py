"""What may be sent to the statements resource; how it is received is the business of `attachments`."""

from contextlib import AbstractAsyncContextManager

from fastapi import Request
from xapi import Version

from ingest.attachments.receiving import JSON, Received
from ingest.state import state_of


def received(request: Request, version: Version) -> AbstractAsyncContextManager[Received]:
    """The checked statements of a body, with their data as long as the block lasts. Raises `BadRequest`, `TooLarge`."""
    content_type = request.headers.get("Content-Type", JSON)
    return state_of(request).receiver.received(content_type, request.stream(), version)

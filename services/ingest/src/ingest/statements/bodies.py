"""What may be sent: JSON without attachments' data. `multipart/mixed` and signatures have their place here later."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Request
from service_kit.problems import BadRequest
from xapi import Parsed, StatementInvalid, Version, parse_statements
from xapi.parsing import JsonObject

from ingest.statements.refusals import invalid, wrong_header


async def read(request: Request, version: Version) -> tuple[list[Parsed], bool]:
    """The checked statements of a body, and whether it was an array. Raises `BadRequest`, `TooLarge`."""
    _only_json(request)
    body = await request.body()
    try:
        batch = parse_statements(body, version)
    except StatementInvalid as error:
        raise invalid(error) from None
    is_array = body.lstrip()[:1] == b"["
    _without_data(batch, is_array=is_array)
    return batch, is_array


def _only_json(request: Request) -> None:
    media_type = request.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return
    detail = "expected application/json"
    if media_type == "multipart/mixed":
        detail += "; multipart/mixed, for attachments with their data, is not served yet"
    elif media_type == "application/x-www-form-urlencoded":
        detail += "; the alternate request syntax is not served yet"
    raise wrong_header("Content-Type", detail)


def _without_data(batch: Sequence[Parsed], *, is_array: bool) -> None:
    """An attachment without `fileUrl` comes with its data in a multipart body (1.0.3 Data 2.4.11)."""
    detail = "expected a fileUrl: attachments with their data are not served yet"
    errors = [
        {"pointer": f"/{index}{place}" if is_array else place, "detail": detail}
        for index, parsed in enumerate(batch)
        for place in _data_places(parsed.raw)
    ]
    if errors:
        raise BadRequest(f"Wrong input at {errors[0]['pointer']}: {detail}", errors=errors)


def _data_places(raw: JsonObject) -> Iterator[str]:
    target: Any = raw["object"]
    parts = [(raw, "")] + ([(target, "/object")] if target.get("objectType") == "SubStatement" else [])
    for part, path in parts:
        for index, attachment in enumerate(part.get("attachments", ())):
            if "fileUrl" not in attachment:
                yield f"{path}/attachments/{index}/fileUrl"

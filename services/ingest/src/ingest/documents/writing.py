"""What a write makes of a document, without I/O: exactly one of the writers that meet is decided upon at a time."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from service_kit.problems import BadRequest, Conflict, TooLarge
from xapi import StatementInvalid
from xapi.exact import dumps, loads

from ingest.documents.conditions import Conditions, tag_of
from ingest.statements.refusals import wrong_header

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a document: it lives in one MongoDB document, which holds at most 16 MiB."""
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Content:
    """A document as it was sent."""

    data: bytes
    media_type: str

    @property
    def tag(self) -> str:
        return tag_of(self.data)

    @property
    def is_json(self) -> bool:
        return self.media_type.partition(";")[0].strip().lower() == JSON


@dataclass(frozen=True, slots=True)
class Write:
    """A request to change a document.

    `is_guarded`: a PUT over one that is there needs a precondition; `is_demanded`: so does one where there is none.
    """

    method: Literal["PUT", "POST", "DELETE"]
    conditions: Conditions
    content: Content | None = None
    is_guarded: bool = False
    is_demanded: bool = False

    def check(self) -> None:
        """What is wrong whatever is there. Raises `BadRequest`."""
        if self.method == "POST" and self.content is not None and self.content.is_json:
            _object_of(self.content, "the body")

    def outcome(self, current: Content | None) -> Content | None:
        """The document afterwards; None where there is none. Raises `Problem`."""
        self.conditions.check(None if current is None else current.tag)
        if self.method == "PUT" and not self.conditions.are_given:
            self._check_unconditional(exists=current is not None)
        if self.method == "POST" and self.content is not None and current is not None:
            return _merged(current, self.content)
        return self.content

    def _check_unconditional(self, *, exists: bool) -> None:
        if exists and self.is_guarded:
            raise Conflict(
                "The document exists, and the request has neither If-Match nor If-None-Match: check the current state "
                "of the document, then set If-Match to its current ETag",
                errors=[{"parameter": "If-Match", "in": "header", "detail": "is missing"}],
            )
        if not exists and self.is_demanded:
            raise wrong_header("If-None-Match", "is missing: a new document is put with *, one that exists by If-Match")


def _merged(current: Content, posted: Content) -> Content:
    """The properties of the one posted take the place of those of the same name, one level deep (2.2)."""
    if not posted.is_json:
        raise wrong_header("Content-Type", "expected application/json: the document exists, and only JSON is merged")
    if not current.is_json:
        raise BadRequest("The document that exists is not application/json: only PUT can take its place")
    data = dumps(_object_of(current, "the document that exists") | _object_of(posted, "the body"))
    if len(data) > LARGEST:
        raise TooLarge(f"The merged document is larger than {LARGEST} bytes")
    return Content(data, current.media_type)


def _object_of(content: Content, where: str) -> dict[str, Any]:
    try:
        value = loads(content.data)
    except StatementInvalid as invalid:
        raise _not_an_object(where, invalid.errors[0].reason) from None
    if not isinstance(value, dict):
        raise _not_an_object(where, "expected a JSON object, found another value")
    return value


def _not_an_object(where: str, reason: str) -> BadRequest:
    return BadRequest(f"Wrong input at {where}: {reason}", errors=[{"pointer": "", "detail": reason}])

"""Statements in: the JSON, and with `multipart/mixed` the attachments' data (1.0.3 Communication 1.5.2; 2.0 4.1.3).

The first part decides: once it is there, each further part must have the hash of one of its attachments, or the rest is
not even read. What the parts hold is hashed and spooled as it comes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from service_kit.problems import BadRequest, NotReadyYet, TooLarge
from starlette.datastructures import Headers
from xapi import Parsed, StatementInvalid, Version, parse_statements
from xapi.parsing import JsonObject

from ingest.attachments import multipart, signatures
from ingest.attachments.multipart import End, Head, Splitter
from ingest.attachments.repository import AttachmentRepository, Attachments
from ingest.attachments.signatures import Signatures, WrongSignature, is_signature
from ingest.attachments.spool import Spool
from ingest.statements.refusals import invalid, wrong_header

JSON: Final = "application/json"
_HASH: Final = "X-Experience-API-Hash"
_ENCODING: Final = "Content-Transfer-Encoding"
_TYPE: Final = "Content-Type"
_LENGTH: Final = "Content-Length"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request. The whole of a multipart body is limited before it comes here."""

    statements_bytes: int
    attachments: int

    @property
    def a_signature(self) -> int:
        """Bytes. It holds the whole statement, in base64, and certificates."""
        return 2 * self.statements_bytes

    @property
    def signatures(self) -> int:
        """Bytes in all: several may sign each statement, each with certificates."""
        return 4 * self.statements_bytes


@dataclass(frozen=True, slots=True)
class Received:
    """The checked statements of a request, whether they were an array, and the data that came with them, if any."""

    batch: list[Parsed]
    is_array: bool
    attachments: Attachments | None = None


@dataclass(frozen=True, slots=True)
class _Declared:
    """An attachment as a statement declares it."""

    pointer: str
    raw: JsonObject
    statement: Parsed
    of_statement: bool

    @property
    def sha2(self) -> str:
        sha2: str = self.raw["sha2"]
        return sha2.lower()

    @property
    def is_signature(self) -> bool:
        return self.of_statement and is_signature(self.raw)


class Receiver:
    def __init__(self, repository: AttachmentRepository, signatures: Signatures, limits: Limits) -> None:
        self._repository = repository
        self._signatures = signatures
        self._limits = limits

    @asynccontextmanager
    async def received(
        self, content_type: str, body: AsyncIterator[bytes], version: Version
    ) -> AsyncIterator[Received]:
        """The statements of a body, and their data as long as the block lasts. Raises `BadRequest`, `TooLarge`."""
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == JSON:
            yield await self._json(body, version)
        elif media_type == multipart.MEDIA_TYPE:
            reading = _Reading(_splitter(content_type), version, self._limits)
            try:
                await reading.read(body)
                await self._check(reading, version)
                spools = {sha2: part.spool for sha2, part in reading.parts.items()}
                yield Received(reading.batch, reading.is_array, Attachments(self._repository, spools))
            finally:
                reading.close()
        else:
            raise wrong_header("Content-Type", f"expected {JSON} or {multipart.MEDIA_TYPE}")

    async def _json(self, body: AsyncIterator[bytes], version: Version) -> Received:
        batch, is_array = _statements(b"".join([chunk async for chunk in body]), version)
        _refuse_without_data(_declared(batch, is_array=is_array), ())
        return Received(batch, is_array)

    async def _check(self, reading: "_Reading", version: Version) -> None:
        """What can be said only when all parts are there."""
        _refuse_without_data(reading.declared, reading.parts)
        opened: dict[str, JsonObject] = {}
        checked = 0
        for one in reading.declared:
            if not one.is_signature:
                continue
            part = reading.parts[one.sha2]
            checked += part.spool.size  # for each statement that names it
            if part.spool.size > self._limits.a_signature or checked > self._limits.signatures:
                raise TooLarge("The signatures are larger than what they may sign")
            try:
                if one.sha2 not in opened:
                    data = await part.spool.read()
                    opened[one.sha2] = await asyncio.to_thread(self._signatures.signed, data, version)
                signatures.check(one.statement.raw, one.raw, opened[one.sha2])
            except WrongSignature as error:
                _refuse_part(part.number, str(error), pointer=one.pointer)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part after the first."""

    number: int
    spool: Spool
    headers: Headers


@dataclass
class _Reading:
    """Reads one multipart body. The statements are part 1."""

    splitter: Splitter
    version: Version
    limits: Limits
    batch: list[Parsed] = field(default_factory=list)
    is_array: bool = False
    declared: list[_Declared] = field(default_factory=list)
    parts: dict[str, _Part] = field(default_factory=dict)
    _number: int = 0
    _first: bytearray = field(default_factory=bytearray)
    _part: _Part | None = None

    async def read(self, body: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in body:
                for event in self.splitter.feed(chunk):
                    await self._take(event)
            self.splitter.close()
        except multipart.Malformed as error:
            raise BadRequest(f"The multipart body is malformed: {error}", errors=[_place("", str(error))]) from None
        except OSError as error:  # of the temporary files
            raise NotReadyYet("There is no room for attachments at the moment") from error

    def close(self) -> None:
        for part in self.parts.values():
            part.spool.close()
        if self._part is not None:
            self._part.spool.close()

    async def _take(self, event: multipart.Event) -> None:
        if isinstance(event, Head):
            self._begin(event.headers)
        elif isinstance(event, End):
            await self._end()
        elif self._part is not None:
            await self._part.spool.write(event)
        else:
            self._first += event
            if len(self._first) > self.limits.statements_bytes:
                raise TooLarge(f"The statements are larger than {self.limits.statements_bytes} bytes")

    def _begin(self, headers: Headers) -> None:
        self._number += 1
        if self._number == 1:
            if _media_type(headers.get(_TYPE, "")) != JSON:
                _refuse_part(1, f"expected Content-Type: {JSON} of the part with the statements", _TYPE)
            if headers.get(_ENCODING, "binary").lower() not in ("binary", "8bit", "7bit"):
                _refuse_part(1, "expected Content-Transfer-Encoding: binary", _ENCODING)
            return
        if self._number - 1 > self.limits.attachments:
            raise TooLarge(f"There are more than {self.limits.attachments} attachments with their data")
        sha2 = self._checked(headers)
        self._part = _Part(self._number, Spool(sha2), headers)

    def _checked(self, headers: Headers) -> str:
        """The hash that a part names, if its headers are those of an attachment of the statements."""
        number = self._number
        if _HASH not in headers:
            _refuse_part(number, "expected the header X-Experience-API-Hash, found none", _HASH)
        # 1.0.3 Communication 1.5.2: where there is none, binary is assumed.
        if headers.get(_ENCODING, "binary").lower() != "binary":
            _refuse_part(number, "expected Content-Transfer-Encoding: binary", _ENCODING)
        sha2 = headers[_HASH].lower()
        meant = [one for one in self.declared if one.sha2 == sha2]
        if not meant:
            _refuse_part(number, "expected the hash of an attachment of the statements, found another", _HASH)
        # What both the part and the attachment tell must be the same (1.0.3 Communication 1.5.2).
        if _TYPE in headers and _media_type(headers[_TYPE]) not in {
            _media_type(one.raw["contentType"]) for one in meant
        }:
            _refuse_part(number, "expected the contentType of its attachment, found another", _TYPE, meant[0].pointer)
        if _LENGTH in headers and headers[_LENGTH] not in {str(one.raw["length"]) for one in meant}:
            _refuse_part(number, "expected the length of its attachment, found another", _LENGTH, meant[0].pointer)
        return sha2

    async def _end(self) -> None:
        part, self._part = self._part, None
        if part is None:
            first, self._first = bytes(self._first), bytearray()
            self.batch, self.is_array = _statements(first, self.version)
            self.declared = list(_declared(self.batch, is_array=self.is_array))
            return
        sha2 = part.headers[_HASH].lower()
        if not part.spool.is_right or sha2 in self.parts:
            part.spool.close()
        if not part.spool.is_right:
            _refuse_part(part.number, "expected data with the hash that the part names, found other data", _HASH)
        if sha2 not in self.parts:
            self.parts[sha2] = part
            await part.spool.finish()


def _splitter(content_type: str) -> Splitter:
    try:
        return Splitter(multipart.boundary_of(content_type))
    except multipart.Malformed as error:
        raise wrong_header("Content-Type", str(error)) from None


def _statements(body: bytes, version: Version) -> tuple[list[Parsed], bool]:
    try:
        return parse_statements(body, version), body.lstrip()[:1] == b"["
    except StatementInvalid as error:
        raise invalid(error) from None


def _declared(batch: Sequence[Parsed], *, is_array: bool) -> Iterator[_Declared]:
    for index, parsed in enumerate(batch):
        place = f"/{index}" if is_array else ""
        target: Any = parsed.raw["object"]
        parts = [(parsed.raw, "")] + ([(target, "/object")] if target.get("objectType") == "SubStatement" else [])
        for part, path in parts:
            for number, one in enumerate(part.get("attachments", ())):
                yield _Declared(f"{place}{path}/attachments/{number}", one, parsed, part is parsed.raw)


def _refuse_without_data(
    declared: Iterator[_Declared] | Sequence[_Declared], parts: Mapping[str, Any] | tuple[()]
) -> None:
    """Without `fileUrl` data must come in this request, a signature's always (1.0.3 Communication 1.5.2, Data 2.6)."""
    errors = [
        {
            "pointer": f"{one.pointer}/fileUrl",
            "detail": f"expected a fileUrl, or data of this hash in {multipart.MEDIA_TYPE}",
        }
        if not one.is_signature
        else _place(one.pointer, f"expected the signature itself in {multipart.MEDIA_TYPE}")
        for one in declared
        if one.sha2 not in parts and (one.is_signature or "fileUrl" not in one.raw)
    ]
    if errors:
        raise BadRequest(f"Wrong input at {errors[0]['pointer']}: {errors[0]['detail']}", errors=errors)


def _refuse_part(number: int, detail: str, header: str = "", pointer: str = "") -> NoReturn:
    where = f"part {number}" + (f", {header}" if header else "")
    place = _place(pointer, detail) | {"part": number} | ({"header": header} if header else {})
    raise BadRequest(f"Wrong input in {where}: {detail}", errors=[place])


def _place(pointer: str, detail: str) -> dict[str, Any]:
    return {"pointer": pointer, "detail": detail}


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()

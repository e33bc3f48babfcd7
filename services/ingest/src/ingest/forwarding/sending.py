"""Statements to another LRS: what it refuses is halved until it stands alone; where it is busy or away, wait."""

import email.utils
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import httpx2
import orjson
import xapi
from xapi.parsing import JsonObject

from ingest.attachments.blobs import BlobGone
from ingest.attachments.repository import AttachmentRepository, Held, sha2_of
from ingest.forwarding.addresses import AddressRefused, check_reachable
from ingest.forwarding.repository import DeadLetter, Forwarding

TIMEOUT_SECONDS: Final = 30.0
LONGEST_ASKED_SECONDS: Final = 3600.0
_ERROR_BYTES: Final = 64 * 1024
_STATEMENT_BYTES: Final = 16 * 1024 * 1024
_REFUSALS: Final = frozenset({400, 409, 413, 422})
_POINTER: Final = re.compile(r"(/[A-Za-z0-9_.-]{1,40}){1,12}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """A statement on its way: its key in the store, its bytes as they are sent, the keys of its attachments' data, and
    whom it is about.
    """

    key: str
    statement: JsonObject
    body: bytes
    blobs: tuple[str, ...] = ()
    learners: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """`place`: where in the statement the other LRS sees the fault, if it says so in a form that names no one."""

    status: int
    place: str = ""
    retry_after_seconds: float | None = None


class Waits(Exception):
    """The other LRS takes nothing now; the same may succeed later."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Target(Protocol):
    """The other LRS. Both raise `Waits` where it cannot be reached."""

    async def post(self, items: Sequence[Item]) -> Answer: ...

    async def held(self, statement_id: str) -> JsonObject | None:
        """What it holds under the id, as far as it shows it."""
        ...


@dataclass
class Delivery:
    forwarded: int = 0
    dead: list[DeadLetter] = field(default_factory=list)
    suspects: list[DeadLetter] = field(default_factory=list)


async def deliver(target: Target, items: Sequence[Item], *, failing_long: bool = False) -> Delivery:
    """Send until each item is taken or refused by itself. Raises `Waits`; what was sent before may be sent again.

    A 500 is waited out. After it has been so for long (`failing_long`), it may be the fault of one statement: then
    the batch is halved too, and what alone meets 500 is refused, provided that the target takes another one.
    """
    delivery = Delivery()
    await _deliver(target, items, failing_long, delivery)
    if delivery.suspects and not delivery.forwarded:
        raise Waits("500")
    delivery.dead += delivery.suspects
    return delivery


async def _deliver(target: Target, items: Sequence[Item], failing_long: bool, delivery: Delivery) -> None:
    if not items:
        return
    answer = await target.post(items)
    failed = answer.status == httpx2.codes.INTERNAL_SERVER_ERROR and failing_long
    if 200 <= answer.status < 300:
        delivery.forwarded += len(items)
    elif answer.status not in _REFUSALS and not failed:
        raise Waits(str(answer.status), answer.retry_after_seconds)
    elif len(items) > 1:
        half = len(items) // 2
        await _deliver(target, items[:half], failing_long, delivery)
        await _deliver(target, items[half:], failing_long, delivery)
    elif failed:
        delivery.suspects.append(DeadLetter(items[0].key, "500"))
    else:
        await _refused(target, items[0], answer, delivery)


async def _refused(target: Target, item: Item, answer: Answer, delivery: Delivery) -> None:
    """A conflict is none where the target holds this very statement: some answer 409 to each repetition."""
    if answer.status == httpx2.codes.CONFLICT:
        held = await target.held(item.statement["id"])
        if held is not None and xapi.difference(held, item.statement) is None:
            delivery.forwarded += 1
            return
    reason = f"{answer.status} at {answer.place}" if answer.place else str(answer.status)
    delivery.dead.append(DeadLetter(item.key, reason))


class HttpTarget:
    """The other LRS by HTTP. Redirects are not followed: they would carry the secret elsewhere."""

    def __init__(self, http: httpx2.AsyncClient, attachments: AttachmentRepository, forwarding: Forwarding) -> None:
        self._http = http
        self._attachments = attachments
        self._url = f"{forwarding.endpoint}/statements"
        self._auth = httpx2.BasicAuth(forwarding.key, forwarding.secret.get_secret_value())
        self._headers = {"X-Experience-API-Version": forwarding.version}

    async def post(self, items: Sequence[Item]) -> Answer:
        body = b"[" + b",".join(item.body for item in items) + b"]"
        held = await self._attachments.find({key for item in items for key in item.blobs})
        if held:
            boundary = secrets.token_hex(24)
            kind = f"multipart/mixed; boundary={boundary}"
            content: bytes | AsyncIterator[bytes] = self._parts(boundary, body, held, _types(items))
        else:
            kind, content = "application/json", body
        status, headers, answer = await self._ask("POST", _ERROR_BYTES, kind, content=content)
        return Answer(status, _place(answer), retry_after(headers.get("Retry-After")))

    async def held(self, statement_id: str) -> JsonObject | None:
        status, _, content = await self._ask("GET", _STATEMENT_BYTES, None, params={"statementId": statement_id})
        try:
            found = xapi.loads(content) if status == httpx2.codes.OK else None
        except xapi.StatementInvalid:
            return None
        return found if isinstance(found, dict) and "actor" in found and "object" in found else None

    async def _parts(
        self, boundary: str, body: bytes, held: Mapping[str, Held], types: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        """The statements, then the data of each attachment once (1.0.3 Communication 1.5.2)."""
        yield f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode() + body
        for sha2, data in {sha2_of(key): data for key, data in held.items()}.items():
            yield (
                f"\r\n--{boundary}\r\nContent-Type: {types.get(sha2, 'application/octet-stream')}\r\n"
                f"Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n"
            ).encode("ascii", "replace")
            async for chunk in self._attachments.read(data):
                yield chunk
        yield f"\r\n--{boundary}--\r\n".encode()

    async def _ask(self, method: str, most: int, kind: str | None, **options: Any) -> tuple[int, httpx2.Headers, bytes]:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        try:
            await check_reachable(self._url)
            async with self._http.stream(
                method, self._url, auth=self._auth, headers=headers, follow_redirects=False, **options
            ) as answer:
                return answer.status_code, answer.headers, await _beginning(answer, most)
        except AddressRefused:
            raise Waits("the address is not allowed") from None
        except BlobGone:
            raise Waits("an attachment was taken away meanwhile") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise Waits(type(error).__name__) from None


def _types(items: Sequence[Item]) -> dict[str, str]:
    """The media type of each attachment, on one line."""
    parts = [part for item in items for part in (item.statement, item.statement["object"])]
    named = [one for part in parts for one in part.get("attachments", ())]
    return {one["sha2"].lower(): " ".join(one["contentType"].split()) for one in named}


async def _beginning(answer: httpx2.Response, most: int) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > most:
            break
    return bytes(content[:most])


def _place(content: bytes) -> str:
    """The first pointer of a problem document (RFC 9457), without the statement's index."""
    try:
        pointer = str(orjson.loads(content)["errors"][0]["pointer"])
    except (ValueError, LookupError, TypeError):
        return ""
    pointer = re.sub(r"\A/\d+", "", pointer)
    return pointer if _POINTER.match(pointer) else ""


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds, from either form (RFC 9110 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.1), LONGEST_ASKED_SECONDS)

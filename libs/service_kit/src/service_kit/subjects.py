"""`GET /subjects/{learner_id}/data`: all that a service holds on a learner, for the privacy service to collect.

Lines of JSON: `{"part": name, "data": …}` is one record, `{"file": name, "bytes": base64}` a piece of a file; those of
one part or file follow each other. The last line is `{"summary": {part: records}}`: without it the stream broke.
"""

import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from service_kit.auth import Principal, Role, require

NDJSON: Final = "application/x-ndjson"
DATA: Final = b'","data":'
PART: Final = b'{"part":"'
PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One thing held on a learner, as JSON, of a part such as `statements`."""

    part: str
    data: bytes

    @classmethod
    def of(cls, part: str, data: Any) -> "Record":
        return cls(part, orjson.dumps(data))

    def line(self) -> bytes:
        return b"".join([PART, self.part.encode(), DATA, self.data, b"}\n"])


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file, such as an attachment's data."""

    file: str
    data: bytes

    def line(self) -> bytes:
        return orjson.dumps({"file": self.file, "bytes": base64.b64encode(self.data).decode()}) + b"\n"


Item = Record | Piece


class Held(Protocol):
    """What a service holds: reads everything on a learner, also where no purpose allows its use."""

    def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]: ...


def router(held_of: Callable[[Request], Held], *, readers: Collection[str] = ("privacy",)) -> APIRouter:
    """The route; `held_of` finds the service's reader on the app. `readers`: the services that may ask."""
    made = APIRouter(prefix="/subjects", tags=["subjects"])

    @made.get("/{learner_id}/data", response_class=StreamingResponse)
    async def data(
        learner_id: UUID,
        request: Request,
        caller: Annotated[Principal, Depends(require(Role.service, services=readers))],
    ) -> StreamingResponse:
        """Everything held on the learner, as lines of JSON; the last line is a summary."""
        lines = _lines(held_of(request)(caller.tenant, str(learner_id)))
        first = await anext(lines)  # what fails at once, fails before the status is sent
        return StreamingResponse(_all(first, lines), media_type=NDJSON)

    return made


async def _lines(items: AsyncIterator[Item]) -> AsyncIterator[bytes]:
    counts: Counter[str] = Counter()
    files: set[str] = set()
    async for item in items:
        if isinstance(item, Record):
            counts[item.part] += 1
        elif item.file not in files:
            files.add(item.file)
            counts["files"] += 1
        yield item.line()
    yield orjson.dumps({"summary": counts}) + b"\n"


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for line in rest:
        yield line


def parsed(line: bytes) -> Item | dict[str, int]:
    """A line back into what it was; a summary into its counts. A record's bytes stay as they are.

    Raises `ValueError`, `KeyError` for what is none.
    """
    if line.startswith(PART) and DATA in line:
        part, _, rest = line.removeprefix(PART).partition(DATA)
        return Record(part.decode("ascii"), rest.rstrip()[:-1])
    body = orjson.loads(line)
    if "summary" in body:
        return {str(name): int(count) for name, count in body["summary"].items()}
    return Piece(str(body["file"]), base64.b64decode(body["bytes"], validate=True))

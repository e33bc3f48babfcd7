"""Ingest's side of an import: lines in, what was not taken out, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson

from cli.oulad.errors import ImportStopped
from cli.oulad.posting import Patience, persistently, reason_of
from cli.transfer import parts
from cli.transfer.pages import Given

MOST_LINES: Final = 200
MOST_BYTES: Final = 4 * 1024 * 1024
_JSON: Final = {"Content-Type": "application/json"}
_NDJSON: Final = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """`line`: its index among those sent."""

    line: int
    pointer: str
    detail: str


@dataclass
class Taken:
    accepted: int = 0
    not_recorded: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, other: Taken, offset: int) -> None:
        """What came of lines that began at `offset`."""
        self.accepted += other.accepted
        self.not_recorded += other.not_recorded
        self.rejected += [Rejected(one.line + offset, one.pointer, one.detail) for one in other.rejected]


@dataclass
class Progress:
    """How far an import is; kept by ingest, so that it goes on from any machine."""

    source: str
    place: str = ""
    accepted: int = 0
    not_recorded: int = 0
    rejected: int = 0
    finished: bool = False

    @property
    def lines(self) -> int:
        return self.accepted + self.not_recorded + self.rejected

    def count(self, taken: Taken) -> None:
        self.accepted += taken.accepted
        self.not_recorded += taken.not_recorded
        self.rejected += len(taken.rejected)


class Ingest:
    def __init__(self, http: httpx2.AsyncClient, url: str, patience: Patience) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._patience = patience

    async def progress(self, import_id: str) -> Progress | None:
        answer = await self._ask("GET", f"/imports/{import_id}")
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        found = _json(self._succeeded(answer))
        return Progress(**{name: found[name] for name in Progress.__dataclass_fields__})

    async def keep(self, import_id: str, progress: Progress) -> None:
        answer = await self._ask("PUT", f"/imports/{import_id}", content=orjson.dumps(progress), headers=_JSON)
        self._succeeded(answer)

    async def take(self, given: Sequence[Given], data: Mapping[str, Path]) -> Taken:
        """Send statements with the data of their attachments; a body that is refused as a whole is halved.

        Raises `ImportStopped`.
        """
        if not given:
            return Taken()
        answer = await self._post(b"\n".join(one.text for one in given), _of(given, data))
        if answer.is_success:
            found = _json(answer)
            rejected = [Rejected(**one) for one in found["rejected"]]
            return Taken(found["accepted"], found["not_recorded"], rejected)
        if answer.status_code not in (400, 413):
            self._succeeded(answer)
        if len(given) == 1:
            return Taken(rejected=[Rejected(0, "", f"{answer.status_code}: {reason_of(answer)}")])
        half = len(given) // 2
        taken = await self.take(given[:half], data)
        taken.add(await self.take(given[half:], data), half)
        return taken

    async def _post(self, lines: bytes, data: Mapping[str, Path]) -> httpx2.Response:
        if not data:
            return await self._ask("POST", "/imports/statements", content=lines, headers=_NDJSON)
        kind, body = parts.sent(lines, data)
        url, headers = f"{self._url}/imports/statements", {"Content-Type": kind}
        return await persistently(
            lambda: self._http.post(url, content=parts.streamed(body), headers=headers), url, self._patience
        )

    async def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        url = f"{self._url}{path}"
        return await persistently(lambda: self._http.request(method, url, **options), url, self._patience)

    def _succeeded(self, answer: httpx2.Response) -> httpx2.Response:
        if not answer.is_success:
            raise ImportStopped(f"{answer.request.url} answers {answer.status_code}: {reason_of(answer)}")
        return answer


def batches(sizes: Sequence[int]) -> list[slice]:
    """Cuts so that no batch is longer or larger than is taken at once; a line that is larger stands alone."""
    found, start, size = [], 0, 0
    for number, one in enumerate(sizes):
        if number > start and (number - start >= MOST_LINES or size + one > MOST_BYTES):
            found.append(slice(start, number))
            start, size = number, 0
        size += one
    if len(sizes) > start:
        found.append(slice(start, len(sizes)))
    return found


def _of(given: Sequence[Given], data: Mapping[str, Path]) -> dict[str, Path]:
    """The data that these statements name."""
    wanted = {sha2.lower() for one in given for sha2 in one.hashes} if data else set()
    return {sha2: path for sha2, path in data.items() if sha2 in wanted}


def _json(answer: httpx2.Response) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(answer.content)
    return found

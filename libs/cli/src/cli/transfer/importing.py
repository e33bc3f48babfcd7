"""`trellis import xapi` and `trellis import statements` without their words."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Final

import httpx2
import orjson

from cli.oulad.errors import ImportStopped
from cli.oulad.posting import TIMEOUT_SECONDS, Patience
from cli.transfer.ours import MOST_BYTES, MOST_LINES, Ingest, Progress, Rejected, batches
from cli.transfer.pages import Given
from cli.transfer.source import Source

_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True)
class Origin:
    """Another LRS. `since`: exclusive, empty for everything."""

    endpoint: str
    key: str
    secret: str
    since: str = ""
    version: str = "1.0.3"
    attachments: bool = True

    @property
    def import_id(self) -> str:
        return _id("xapi", self.endpoint.rstrip("/"), self.key, self.since)


@dataclass(frozen=True)
class Options:
    """`rejects`: the folder of the files that rejected statements are written to."""

    url: str
    token: str
    rejects: Path
    anew: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Outcome:
    """`up_to_date`: False where the source has more that it does not call consistent yet."""

    progress: Progress
    before: int
    rejects: Path | None
    voided: int = 0
    voided_hidden: int = 0
    through: datetime | None = None
    up_to_date: bool = True


Advanced = Callable[[int], None]


async def copy(origin: Origin, options: Options, advanced: Advanced) -> Outcome:
    """Copy what the source stored since its place of the last run; repeatable. Raises `ImportStopped`."""
    auth = httpx2.BasicAuth(origin.key, origin.secret)
    async with (
        _ingest(options) as ingest,
        httpx2.AsyncClient(auth=auth, timeout=TIMEOUT_SECONDS, follow_redirects=False) as http,
    ):
        progress = await _begun(ingest, origin.import_id, Progress(origin.endpoint, origin.since), options.anew)
        with _rejects(options.rejects, origin.import_id) as rejects:
            source = Source(http, origin.endpoint, origin.version, options.patience, attachments=origin.attachments)
            walk = _Copy(source, ingest, origin.import_id, progress, rejects, advanced)
            return await walk.all()


class _Copy:
    def __init__(
        self,
        source: Source,
        ingest: Ingest,
        import_id: str,
        progress: Progress,
        rejects: _Rejects,
        advanced: Advanced,
    ) -> None:
        self._source = source
        self._ingest = ingest
        self._import_id = import_id
        self._progress = progress
        self._rejects = rejects
        self._advanced = advanced
        self._before = progress.lines
        self._place = Place(progress.place)
        self._voided = self._hidden = 0

    async def all(self) -> Outcome:
        through, up_to_date = None, True
        async for page in self._source.pages(self._progress.place):
            through = page.through
            _expect_rising(page.statements)
            safe = [one for one in page.statements if through is None or one.stored is None or one.stored <= through]
            await self._take(safe, page.data)
            if up_to_date := len(safe) == len(page.statements):
                continue
            break
        self._progress.finished = True
        await self._ingest.keep(self._import_id, self._progress)
        return Outcome(
            self._progress, self._before, self._rejects.path, self._voided, self._hidden, through, up_to_date
        )

    async def _take(self, statements: Sequence[Given], data: Mapping[str, Path]) -> None:
        for cut in batches([len(one.text) for one in statements]):
            part = statements[cut]
            given = [one for each in part for one in await self._with_voided(each)]
            for inner in batches([len(one.text) for one in given]):
                taken = await self._ingest.take(given[inner], data)
                self._rejects.write([(given[inner][one.line], one) for one in taken.rejected])
                self._progress.count(taken)
            self._place.passed(part)
            self._progress.place = self._place.safe
            await self._ingest.keep(self._import_id, self._progress)
            self._advanced(len(part))

    async def _with_voided(self, given: Given) -> list[Given]:
        """Before a voiding statement the one that it voids: the source lists it no more."""
        if given.voids is None:
            return [given]
        target = await self._source.voided(given.voids)
        self._voided += target is not None
        self._hidden += target is None
        return [given] if target is None else [target, given]


class Place:
    """Where a walk goes on: `since` is exclusive, and several statements may have one `stored`. So it stays below the
    last one that was passed: those at it are sent once more, and stored once.
    """

    def __init__(self, since: str) -> None:
        self.safe = since
        self._last = since
        self._moment: datetime | None = None

    def passed(self, statements: Sequence[Given]) -> None:
        for one in statements:
            if one.stored is not None and (self._moment is None or one.stored > self._moment):
                self.safe, self._last, self._moment = self._last, one.stored_text, one.stored


def _expect_rising(statements: Sequence[Given]) -> None:
    moments = [one.stored for one in statements if one.stored is not None]
    if moments and moments[0] > moments[-1]:
        raise ImportStopped("the source ignores `ascending=true`: its statements come in falling order of `stored`")


async def load(file: Path, options: Options, advanced: Advanced) -> Outcome:
    """Import JSON Lines, plain or gzip: statements, or what `trellis export` wrote. Raises `ImportStopped`."""
    import_id = _id("file", await asyncio.to_thread(_digest, file))
    async with _ingest(options) as ingest:
        progress = await _begun(ingest, import_id, Progress(file.name), options.anew)
        before, done = progress.lines, int(progress.place or 0)
        with _rejects(options.rejects, import_id) as rejects, _opened(file) as lines:
            for batch in _batches(islice(lines, done, None)):
                given = [Given(line, None) for line in batch]
                taken = await ingest.take(given, {})
                rejects.write([(given[one.line], one) for one in taken.rejected])
                progress.count(taken)
                done += len(batch)
                progress.place = str(done)
                await ingest.keep(import_id, progress)
                advanced(len(batch))
            progress.finished = True
            await ingest.keep(import_id, progress)
            return Outcome(progress, before, rejects.path)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch, size = list[bytes](), 0
    for line in lines:
        if batch and (len(batch) >= MOST_LINES or size + len(line) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[bytes]]:
    with gzip.open(file) if _is_gzip(file) else file.open("rb") as opened:
        try:
            yield (line.strip() for line in opened if line.strip())
        except (EOFError, gzip.BadGzipFile):
            raise ImportStopped(f"{file} is not a whole gzip file") from None


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == b"\x1f\x8b"


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise ImportStopped(f"{file} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


@asynccontextmanager
async def _ingest(options: Options) -> AsyncIterator[Ingest]:
    headers = {"Authorization": f"Bearer {options.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as http:
        yield Ingest(http, options.url, options.patience)


async def _begun(ingest: Ingest, import_id: str, new: Progress, anew: bool) -> Progress:
    found = None if anew else await ingest.progress(import_id)
    return found or new


class _Rejects:
    """Statements that were not taken, for the owner's eyes alone; there is no file where there are none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @property
    def path(self) -> Path | None:
        return self._path if self._path.exists() else None

    def write(self, rejected: Sequence[tuple[Given, Rejected]]) -> None:
        """Durable before the import's place moves on: a broken one may write a line twice, and leaves none out."""
        if not rejected:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        for given, one in rejected:
            head = orjson.dumps({"pointer": one.pointer, "detail": one.detail})
            self._file.write(head[:-1] + b',"line":' + _as_json(given.text) + b"}\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _as_json(text: bytes) -> bytes:
    """The line itself where it is JSON, else its text."""
    try:
        orjson.loads(text)
    except ValueError:
        return orjson.dumps(text.decode("utf-8", "replace"))
    return text


@contextmanager
def _rejects(folder: Path, import_id: str) -> Iterator[_Rejects]:
    rejects = _Rejects(folder / f"{import_id}.rejected.jsonl")
    try:
        yield rejects
    finally:
        rejects.close()


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

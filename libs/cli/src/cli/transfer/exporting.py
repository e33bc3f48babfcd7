"""`trellis export` without its words: all lines of ingest's export, however often the stream breaks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import httpx2
import orjson
import xapi

from cli.oulad.errors import ImportStopped
from cli.oulad.posting import reason_of

CURSOR: Final = "cursor"
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_VOIDED_END: Final = b',"voided":true}'
_LONGEST_WAIT_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Patience:
    """For how long to try again without a single line, and how time passes."""

    seconds: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Request:
    """`auth`: an Authorization header, or key and secret. `params`: the filters of GET /statements."""

    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    patience: Patience = field(default_factory=Patience)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(orjson.dumps([self.url, sorted(self.params.items())])).hexdigest()[:8]


class _Broken(Exception):
    """The stream ended without its summary, or did not begin."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


def lines(request: Request, cursor: str = "") -> Iterator[bytes]:
    """Every line but the summary; a stream that breaks goes on behind the last line. Raises `ImportStopped`."""
    patience = request.patience
    until, wait = patience.now() + patience.seconds, 0.25
    last = b""
    with httpx2.Client(auth=request.auth, headers=dict(request.headers), timeout=60) as http:
        while True:
            try:
                for line in _stream(http, request, cursor_of(last) if last else cursor):
                    yield line
                    if not line.endswith(_VOIDED_END):
                        last = line
                    until, wait = patience.now() + patience.seconds, 0.25
            except _Broken as broken:
                if patience.now() >= until:
                    raise ImportStopped(f"{request.url} breaks off ({broken.reason}); try again later") from None
                patience.sleep(broken.wait or wait)
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            else:
                return


def _stream(http: httpx2.Client, request: Request, cursor: str) -> Iterator[bytes]:
    """The lines of one answer. Raises `_Broken`."""
    params = dict(request.params) | ({CURSOR: cursor} if cursor else {})
    try:
        with http.stream("GET", f"{request.url.rstrip('/')}/exports/statements", params=params) as answer:
            if answer.status_code in _BUSY:
                raise _Broken(str(answer.status_code), _seconds(answer.headers.get("Retry-After")))
            if not answer.is_success:
                answer.read()
                raise ImportStopped(f"{request.url} answers {answer.status_code}: {reason_of(answer)}")
            yield from _until_summary(answer.iter_bytes())
    except httpx2.TransportError as error:
        raise _Broken(type(error).__name__) from None


def _until_summary(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.startswith(b'{"summary":'):
                return
            yield line
    raise _Broken("no summary")


def cursor_of(line: bytes) -> str:
    """What names the place of a line that is not of a voided statement."""
    found = orjson.loads(line)
    return f"{found['stored']}/{found['statement']['id']}"


def plain(line: bytes) -> bytes:
    """The statement alone."""
    return xapi.dumps(xapi.loads(line)["statement"])


def write_lines(request: Request, out: IO[bytes], *, is_plain: bool, advanced: Callable[[int], None]) -> None:
    for line in lines(request):
        out.write((plain(line) if is_plain else line) + b"\n")
        advanced(1)


def write_file(request: Request, file: Path, *, is_plain: bool, advanced: Callable[[int], None]) -> None:
    """The file is there when it is whole. One that a kill has left in part is gone on with, but for plain lines,
    which do not say where they stood.
    """
    with whole(file, request.fingerprint if not is_plain else "") as out:
        cursor, count = ("", 0) if is_plain else _resumed(out)
        advanced(count)
        for line in lines(request, cursor):
            out.write((plain(line) if is_plain else line) + b"\n")
            advanced(1)


def _resumed(out: IO[bytes]) -> tuple[str, int]:
    """Cut the file behind its last line that says where it stood; the cursor, and how many lines are kept."""
    end = whole = kept = 0
    last = b""
    for count, line in enumerate(out, 1):
        end += len(line)
        if line.endswith(b"\n") and not line.endswith(_VOIDED_END + b"\n"):
            last, kept, whole = line, count, end
    out.seek(whole)
    out.truncate()
    return (cursor_of(last), kept) if last else ("", 0)


@contextmanager
def whole(file: Path, going_on_with: str = "") -> Iterator[IO[bytes]]:
    """A file that gets its name when the body has succeeded, and that its owner alone may read.

    What an earlier body of the same name has left is kept for the next one to go on with.
    """
    part = file.with_name(f"{file.name}.{going_on_with}.part" if going_on_with else f"{file.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch(mode=0o600, exist_ok=True)
    with part.open("r+b") as out:
        if not going_on_with:
            out.truncate()
        yield out
    part.replace(file)


def counted(every: Iterator[bytes], advanced: Callable[[int], None]) -> Iterator[bytes]:
    for line in every:
        yield line
        advanced(1)


def _seconds(retry_after: str | None) -> float | None:
    return min(max(float(retry_after), 0.1), 60.0) if retry_after and retry_after.isdigit() else None

"""Memory of ingest while an attachment of 200 MB comes in and goes out."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import orjson
import psutil
from devstack.programs import programs_of
from devstack.stack import Stack

from tests.load import sample
from tests.load.machine import say

_CHUNK = bytes(range(256)) * 4096  # 1 MiB
_BOUNDARY = "attachment-of-the-bench"


def measure(*, quick: bool) -> None:
    megabytes = 20 if quick else 200
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), programs=programs_of("recording")) as stack:
        described = stack.description()["ingest"]
        ingest = psutil.Process(stack.pids()["ingest"])
        with httpx2.Client(
            timeout=300,
            auth=(described["key"], described["secret"]),
            headers={"X-Experience-API-Version": "1.0.3"},
        ) as http:
            for _ in range(3):  # the first ones load what stays loaded
                _post(http, described["xapi"], 1)
            before = ingest.memory_info().rss
            with _Peak(ingest) as peak:
                statement_id = _post(http, described["xapi"], megabytes)
            _show(f"{megabytes} MB in", before, peak.highest)
            with _Peak(ingest) as peak:
                read = _get(http, described["xapi"], statement_id)
            _show(f"{read / 2**20:.0f} MB out", before, peak.highest)


class _Peak:
    """The largest resident set of a process, looked at every 10 ms."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stop = threading.Event()
        self.highest = 0
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self.highest = max(self.highest, self._process.memory_info().rss)
            time.sleep(0.01)


def _show(what: str, before: int, highest: int) -> None:
    say(f"{what}: {before / 2**20:.0f} MiB before, at most {highest / 2**20:.0f} MiB ({highest / before - 1:+.1%})")


def _post(http: httpx2.Client, xapi: str, megabytes: int) -> str:
    """A statement with an attachment that has never been there before; its id."""
    first = uuid4().bytes
    digest = hashlib.sha256(first)
    for _ in range(megabytes):
        digest.update(_CHUNK)
    sha2, length = digest.hexdigest(), len(first) + megabytes * len(_CHUNK)
    statement = next(sample.statements()) | {
        "id": str(uuid4()),
        "attachments": [
            {
                "usageType": "http://id.tincanapi.com/attachment/supporting_media",
                "display": {"en": "A film"},
                "contentType": "video/mp4",
                "length": length,
                "sha2": sha2,
            }
        ],
    }
    head = f"--{_BOUNDARY}\r\nContent-Type: application/json\r\n\r\n".encode() + orjson.dumps(statement)
    middle = (
        f"\r\n--{_BOUNDARY}\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: binary\r\n"
        f"X-Experience-API-Hash: {sha2}\r\n\r\n"
    ).encode()
    end = f"\r\n--{_BOUNDARY}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head + middle + first
        for _ in range(megabytes):
            yield _CHUNK
        yield end

    headers = {
        "Content-Type": f"multipart/mixed; boundary={_BOUNDARY}",
        "Content-Length": str(len(head) + len(middle) + length + len(end)),
    }
    http.post(f"{xapi}/statements", content=body(), headers=headers).raise_for_status()
    return str(statement["id"])


def _get(http: httpx2.Client, xapi: str, statement_id: str) -> int:
    asked = {"statementId": statement_id, "attachments": "true"}
    read = 0
    with http.stream("GET", f"{xapi}/statements", params=asked) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            read += len(chunk)
    return read

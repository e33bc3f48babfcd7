"""The memory of ingest stays flat under an attachment much larger than itself."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.integration.ingest.lrs import STATEMENTS, Lrs, statement
from tests.support.multipart_mixed import CONTENT_TYPE, USAGE, body, statements_part
from tests.support.ports import free_port

MIB = 1024 * 1024
BLOCK = hashlib.sha256(b"a block").digest() * (MIB // 32)
HEADERS = {"X-Experience-API-Version": "2.0.0"}


@contextmanager
def serving(port: int) -> Iterator[int]:
    """An ingest in a process of its own, by this process's environment."""
    command = [sys.executable, "-m", "ingest", "serve"]
    process = subprocess.Popen(command, env=os.environ | {"TRELLIS_PORT": str(port)}, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def memory(pid: int, name: str) -> float:
    """In MiB, as the kernel counts it: VmRSS now, VmHWM the most since it was last cleared."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def begin_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Emitter:
    """Sends and fetches without ever holding more than a block itself."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._sent = 0

    async def round_trip(self, mib: int) -> None:
        self._sent += 1
        mark = str(self._sent).encode().ljust(MIB)  # so that it is not there already
        digest = hashlib.sha256(mark)
        for _ in range(mib - 1):
            digest.update(BLOCK)
        sha2 = digest.hexdigest()
        file = {"usageType": USAGE, "display": {"en": "A film"}, "contentType": "video/mp4"}
        sent = statement(attachments=[file | {"length": mib * MIB, "sha2": sha2}])
        frame = body(statements_part(sent), ({"Content-Type": "video/mp4", "X-Experience-API-Hash": sha2}, b""))
        head, end = frame[: (cut := frame.rindex(b"\r\n--"))], frame[cut:]

        async def content() -> AsyncIterator[bytes]:
            yield head
            yield mark
            for _ in range(mib - 1):
                yield BLOCK
            yield end

        answer = await self._http.post(STATEMENTS, content=content(), headers={"Content-Type": CONTENT_TYPE})
        assert answer.status_code == 200, answer.text
        params = {"statementId": sent["id"], "attachments": "true"}
        received = hashlib.sha256()
        async with self._http.stream("GET", STATEMENTS, params=params) as given:
            size = int(given.headers["Content-Length"])
            before = size - mib * MIB - len(b"\r\n--") - 48 - len(b"--\r\n")
            read = 0
            async for piece in given.aiter_bytes():
                received.update(piece[max(0, before - read) : max(0, before + mib * MIB - read)])
                read += len(piece)
        assert (read, received.hexdigest()) == (size, sha2)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is read from Linux")
async def test_200_mib_there_and_back(lrs: Lrs) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(port) as pid:
        async with httpx2.AsyncClient(base_url=url, auth=lrs.auth, headers=HEADERS, timeout=300) as http:
            until = time.monotonic() + 60
            while not await answers(http):
                assert time.monotonic() < until
                await asyncio.sleep(0.2)
            emitter = Emitter(http)
            for _ in range(5):
                await emitter.round_trip(4)
            begin_peak(pid)
            before = memory(pid, "VmRSS")
            await emitter.round_trip(200)
            peak = memory(pid, "VmHWM")
    print(f"ingest: {before:.0f} MiB before, {peak:.0f} MiB at most under 200 MiB there and back")
    assert peak <= 1.1 * before


async def answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health/live")).status_code == 200
    except httpx2.TransportError:
        return False

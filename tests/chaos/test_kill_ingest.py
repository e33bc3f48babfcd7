"""Ingest is killed with SIGKILL while it writes batches: what it acknowledged is there, all else wholly or not."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from devstack.latency import account, answered
from devstack.programs import programs_of
from devstack.stack import Stack
from ingest.statements.repository import STATEMENTS
from pymongo import MongoClient

from tests.support.driving import House

BATCH = 20
WRITERS = 4


class Writers:
    """Post batches from several threads at once; a batch that got no answer is never repeated."""

    def __init__(self, stack: Stack) -> None:
        self.acknowledged: list[list[str]] = []
        self.unanswered: list[list[str]] = []
        self._stack = stack
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(WRITERS)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        actor = account(f"writer-{uuid4().hex[:8]}")
        with House.of(self._stack) as house:
            while not self._stop.is_set():
                batch = [answered(actor, "https://trellis.invalid/killed", scaled=0.5, seconds=9) for _ in range(BATCH)]
                ids = [str(statement["id"]) for statement in batch]
                (self.acknowledged if self._post(house, batch) else self.unanswered).append(ids)

    def _post(self, house: House, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = house.post_statements(batch)
        except httpx2.TransportError:
            time.sleep(0.05)
            return False
        assert answer.is_success or answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE, answer.text
        return answer.is_success


def kill_while_writing(stack: Stack, kills: int) -> None:
    with Writers(stack) as writers:
        for _ in range(kills):
            time.sleep(random.uniform(0.2, 0.6))
            stack.kill("ingest", restart=False)
            stack.start_program("ingest")
            stack.wait_ready("ingest")
        time.sleep(0.3)
    assert len(writers.acknowledged) > kills
    assert writers.unanswered
    time.sleep(1)  # a commit whose answer was lost may still be on its way to the journal
    with MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        statements = client[f"{stack.namespace}ingest"][STATEMENTS.name]

        def there(ids: list[str]) -> int:
            found = statements.find({"_id": {"$in": [f"demo/{one}" for one in ids]}}, {"_id": 1})
            return len(list(found))

        assert [there(ids) for ids in writers.acknowledged] == [BATCH] * len(writers.acknowledged)
        assert {there(ids) for ids in writers.unanswered} <= {0, BATCH}


def test_a_batch_is_there_wholly_or_not_at_all_after_three_kills(stack: Stack) -> None:
    kill_while_writing(stack, kills=3)


@pytest.mark.long
def test_a_batch_is_there_wholly_or_not_at_all_after_fifty_kills(tmp_path: Path) -> None:
    with Stack(tmp_path, programs=programs_of("recording")) as stack:
        kill_while_writing(stack, kills=50)

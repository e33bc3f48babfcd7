"""Drives a whole stack from outside, over HTTP, as an LMS, an app and an officer would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
from devstack.latency import XAPI_HEADERS, account, answered
from devstack.stack import Stack


class House:
    """One stack's services as their users reach them. Synchronous; keep one for each thread."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.token = {"Authorization": f"Bearer {description['operator_token']}"}
        self.http = httpx2.Client(timeout=30)
        ingest = description["ingest"]
        self.xapi = str(ingest["xapi"])
        self._auth = (str(ingest["key"]), str(ingest["secret"]))

    @classmethod
    def of(cls, stack: Stack) -> House:
        return cls(stack.description())

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def url(self, service: str, path: str) -> str:
        return f"{self.description[service]['url']}{path}"

    def get(self, service: str, path: str, **query: Any) -> httpx2.Response:
        return self.http.get(self.url(service, path), params=query, headers=self.token)

    def post_statements(self, statements: list[dict[str, Any]]) -> httpx2.Response:
        return self.http.post(f"{self.xapi}/statements", json=statements, headers=XAPI_HEADERS, auth=self._auth)

    def get_statement(self, statement_id: str) -> httpx2.Response:
        where = {"statementId": statement_id}
        return self.http.get(f"{self.xapi}/statements", params=where, headers=XAPI_HEADERS, auth=self._auth)

    def learner_id(self, actor: dict[str, Any]) -> str:
        answer = self.http.post(self.url("ingest", "/identities"), json=actor, headers=self.token)
        return str(answer.raise_for_status().json()["learner_id"])

    def stats(self, service: str) -> dict[str, int]:
        return dict(self.get(service, "/stats").raise_for_status().json())

    def activities(self, count: int = 20) -> list[str]:
        items = self.get("recommendation", "/catalog/activities", limit=count).raise_for_status().json()["items"]
        return [item["id"] for item in items]


def eventually(check: Callable[[], Any], *, seconds: float = 60, what: str = "it") -> Any:
    """The first true value of `check`; what the services answer meanwhile does not matter."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except (httpx2.HTTPError, KeyError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come true within {seconds} s; last: {last!r}")


class Load:
    """Posts batches in the background until stopped, and knows which statements were acknowledged."""

    def __init__(self, description: dict[str, Any], *, learners: int, batch: int, pause_seconds: float) -> None:
        self.sent: list[list[dict[str, Any]]] = []
        self.acknowledged: set[str] = set()
        self._description = description
        self._actors = [account(f"pupil-{uuid4().hex[:8]}") for _ in range(learners)]
        self._batch = batch
        self._pause_seconds = pause_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def ids(self) -> list[str]:
        return [statement["id"] for batch in self.sent for statement in batch]

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def finish(self) -> None:
        """Post again, as an LMS does, what was not acknowledged, until it is."""
        with House(self._description) as house:
            for batch in self.sent:
                if batch[0]["id"] not in self.acknowledged:
                    eventually(partial(self._post, house, batch), what="a repeated batch")

    def _run(self) -> None:
        with House(self._description) as house:
            activities = house.activities()
            for number, actor in _forever(self._actors):
                if self._stop.is_set():
                    return
                batch = [
                    answered(actor, activities[(number + i) % len(activities)], scaled=(i % 3) / 2, seconds=20)
                    for i in range(self._batch)
                ]
                self.sent.append(batch)
                self._post(house, batch)
                time.sleep(self._pause_seconds)

    def _post(self, house: House, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = house.post_statements(batch)
        except httpx2.HTTPError:
            return False
        if answer.is_success:
            self.acknowledged.update(statement["id"] for statement in batch)
        elif answer.status_code < 500:
            raise AssertionError(f"a good batch was refused: {answer.status_code} {answer.text}")
        return answer.is_success


def _forever(actors: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    while True:
        yield number, actors[number % len(actors)]
        number += 1

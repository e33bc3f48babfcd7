"""The services of one stack, as an LMS, an app, a learner and an officer reach them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx2

from devstack.errors import StackError
from devstack.latency import XAPI_HEADERS

T = TypeVar("T")
_POLL_SECONDS: Final = 0.05
_AGAIN_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 30.0


class House:
    """HTTP against a stack; `description` is what stack.json holds."""

    def __init__(self, description: dict[str, Any], http: httpx2.AsyncClient) -> None:
        self.description = description
        self.http = http
        self._ingest = description["ingest"]
        self._operator = str(description["operator_token"])

    async def ask(self, method: str, service: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        """The answer, whatever its status. By default asked by the owner of the machine."""
        headers = {"Authorization": f"Bearer {token or self._operator}", **more.pop("headers", {})}
        return await self._send(method, f"{self.description[service]['url']}{path}", headers=headers, **more)

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON of an answer that must be good."""
        return good(await self.ask("GET", service, path, params=params)).json()

    async def post_statements(self, statements: Sequence[dict[str, Any]]) -> None:
        """Return when ingest has acknowledged them."""
        auth = (self._ingest["key"], self._ingest["secret"])
        url = f"{self._ingest['xapi']}/statements"
        good(await self._send("POST", url, json=list(statements), headers=XAPI_HEADERS, auth=auth))

    async def learner_id(self, actor: dict[str, Any]) -> str:
        """The learner behind an agent, made where there is none yet."""
        return str(good(await self.ask("POST", "ingest", "/identities", json=actor)).json()["learner_id"])

    async def catalog(self) -> list[dict[str, Any]]:
        """All activities."""
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            more = {"cursor": page["next"]} if page["next"] else {}
            page = await self.get("recommendation", "/catalog/activities", limit=1000, **more)
            items += page["items"]
        return items

    async def recommendations(self, learner_id: str, *, limit: int, as_of: datetime | None = None) -> Any:
        """What next, and why."""
        more = {"as_of": as_of.isoformat()} if as_of else {}
        return (await self.get("recommendation", f"/learners/{learner_id}/recommendations", limit=limit, **more))[
            "items"
        ]

    async def profile(self, learner_id: str, *, as_of: datetime | None = None) -> dict[str, Any] | None:
        """The learner's model; None where nothing is known yet."""
        params = {"as_of": as_of.isoformat()} if as_of else {}
        answer = await self.ask("GET", "learner_profile", f"/learners/{learner_id}", params=params)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        body: dict[str, Any] = good(answer).json()
        return body

    async def settled(self, *, seconds: float = 60) -> None:
        """Until every statement stored has reached learner_profile, and no learner waits to be built anew."""

        async def caught_up() -> bool:
            stored = await self.get("ingest", "/stats")
            counted = await self.get("learner_profile", "/stats")
            return bool(stored["outbox"] == 0 and counted["dirty"] == 0 and counted["evidence"] >= stored["statements"])

        await until(caught_up, "the statements to be counted", seconds=seconds)

    async def _send(self, method: str, url: str, **more: Any) -> httpx2.Response:
        """As any client does: the same again where a connection breaks (one at rest was closed) or the answer is 5xx.

        A 503 is usual at the very beginning, until the tenant's policy has reached each service. Raises StackError
        where it stays so.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, url, **more)
            except httpx2.TransportError as error:
                last = type(error).__name__
            else:
                if answer.status_code < httpx2.codes.INTERNAL_SERVER_ERROR:
                    return answer
                last = f"{answer.status_code} {answer.text[:300]}"
            if time.monotonic() > deadline:
                raise StackError(f"{method} {url} does not answer: {last}")
            await asyncio.sleep(_AGAIN_SECONDS)


async def until(check: Callable[[], Awaitable[T]], what: str, *, seconds: float = 30) -> T:
    """The first true value. Raises StackError after that time."""
    deadline = time.monotonic() + seconds
    while not (found := await check()):
        if time.monotonic() > deadline:
            raise StackError(f"waited {seconds:.0f} s in vain for {what}")
        await asyncio.sleep(_POLL_SECONDS)
    return found


def good(answer: httpx2.Response) -> httpx2.Response:
    """The answer. Raises StackError with what it says where it is an error."""
    if answer.is_error:
        request = answer.request
        raise StackError(f"{request.method} {request.url} answered {answer.status_code}: {answer.text[:300]}")
    return answer

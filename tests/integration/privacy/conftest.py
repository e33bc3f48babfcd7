"""The privacy service on a real MongoDB and a real Kafka, and four small services that answer it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from events.payloads import RetentionOrder, Told
from privacy.consents.decisions import ENFORCERS
from privacy.service import SERVICE
from service_kit.candidates import Candidates
from service_kit.consent import Change
from service_kit.leases import LEASES
from service_kit.mongo import Session, ensure
from service_kit.positions import POSITIONS
from service_kit.privacy import COLLECTIONS
from service_kit.retaining import Part, Task
from service_kit.runtime import Connections, Worker, connections
from service_kit.settings import ServiceSettings

from tests.support.tokens import Tokens


@pytest.fixture(scope="module")
def settings(
    mongodb_url: str, kafka_bootstrap: str, module_namespace: str, tokens: Tokens
) -> Iterator[ServiceSettings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
        patch.setenv("TRELLIS_KAFKA_BOOTSTRAP", kafka_bootstrap)
        patch.setenv("TRELLIS_NAMESPACE", module_namespace)
        for name, value in tokens.settings.items():
            patch.setenv(name, value)
        yield ServiceSettings()


@dataclass
class Caller:
    """Calls the service as one of its users, in a tenant of the test's own."""

    client: httpx2.AsyncClient
    tokens: Tokens
    tenant: str

    async def __call__(
        self,
        method: str,
        path: str,
        *roles: str,
        body: object = None,
        learner: str | None = None,
        tenant: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        token = self.tokens.headers(*roles, tenant=tenant or self.tenant, learner=learner) if roles else {}
        return await self.client.request(method, path, json=body, headers={**token, **(headers or {})})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(settings: ServiceSettings) -> AsyncIterator[httpx2.AsyncClient]:
    async with connections("privacy", settings) as c:
        await ensure(c.db, [POSITIONS, LEASES, *SERVICE.collections])
    app = SERVICE.app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://privacy") as client:
            yield client


@pytest.fixture
def call(http: httpx2.AsyncClient, tokens: Tokens) -> Caller:
    return Caller(http, tokens, f"tenant-{secrets.token_hex(4)}")


@dataclass
class Twin:
    """A service's part in the conversation, as small as it can be: it keeps rows of learners and forgets them."""

    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    async def standing_changed(self, change: Change, session: Session) -> None:
        self.changes.append(change)

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        return {"rows": self.rows.pop((tenant, learner), 0)}

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        start, behind = order.first if after is None else after, order.behind or "g"
        return Candidates(sorted(one for of, one in self.rows if of == tenant and start < one < behind))

    async def retain(self, task: Task, session: Session) -> Part:
        key = (task.tenant, task.learner)
        if task.counts_only:
            return Part({"rows": self.rows[key]}, looked=1)
        return Part({"rows": self.rows.pop(key)}, looked=1, told=self.told)

    def stopped(self, learner: str, purpose: str) -> bool:
        return any(change.learner == learner and change.stopped(purpose) for change in self.changes)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def twin(service: str, settings: ServiceSettings) -> AsyncIterator[Twin]:
    """A running small service of that name."""
    part = Twin()
    async with connections(service, settings) as c:
        await ensure(c.db, [POSITIONS, LEASES, *COLLECTIONS])
        worker = Worker(c)
        worker.take_part(part)
        async with running(worker):
            yield part


@asynccontextmanager
async def twins(settings: ServiceSettings, *names: str) -> AsyncIterator[dict[str, Twin]]:
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(twin(name, settings)) for name in names or ENFORCERS}


@asynccontextmanager
async def privacy_worker(settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with connections("privacy", settings) as c, running(SERVICE.workers["work"](c)):
        yield c


PURPOSES = ("record", "profile", "recommend", "teach", "insights", "research")


def policy(**changes: tuple[str, str]) -> dict[str, Any]:
    """All six purposes on public task, allowed; other (basis, unknown) by name."""
    rules = dict.fromkeys(PURPOSES, ("public_task", "allowed")) | changes
    return {"purposes": {purpose: {"basis": basis, "unknown": unknown} for purpose, (basis, unknown) in rules.items()}}


async def until(found: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], seconds: float = 30) -> Any:
    """The first answer that is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(answer := await found()):  # noqa: ASYNC110 — the answer comes over HTTP
            await asyncio.sleep(0.05)
    return answer

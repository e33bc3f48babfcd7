"""The recommendation service on a real MongoDB and a real Kafka."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
from events.envelope import Outgoing
from events.payloads import ConsentState, ConsentStatus, Decision, LearnerProfile, Policy, PurposePolicy
from events.publisher import Publisher
from events.topics import Topic
from learner_model import Evidence, EvidenceKind
from learner_model.reading import fold_all
from pydantic import BaseModel
from recommendation.service import SERVICE
from recommendation.worker import worker
from service_kit.consent import ConsentView
from service_kit.leases import LEASES
from service_kit.mongo import ensure, in_transaction
from service_kit.positions import POSITIONS
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.tokens import Tokens

PURPOSES = ("record", "profile", "recommend", "teach", "insights")
ALLOWED = Policy(
    version=1,
    purposes={purpose: PurposePolicy(basis="public_task", unknown="allowed") for purpose in PURPOSES},
)


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


@pytest.fixture
async def held(settings: ServiceSettings) -> AsyncIterator[Connections]:
    """The service's own connections."""
    async with connections(SERVICE.name, settings) as c:
        await ensure(c.db, [POSITIONS, LEASES, *SERVICE.collections])
        yield c


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
        content: bytes | None = None,
        learner: str | None = None,
        tenant: str | None = None,
        **params: Any,
    ) -> httpx2.Response:
        headers = self.tokens.headers(*roles, tenant=tenant or self.tenant, learner=learner) if roles else {}
        headers |= {"Content-Type": "application/json"} if method == "PUT" else {}
        return await self.client.request(method, path, content=content, headers=headers, params=params)

    async def load(self, *activities: dict[str, Any], **more: Any) -> httpx2.Response:
        """Import these activities."""
        lines = b"\n".join(orjson.dumps({"title": a["id"], **a}) for a in activities)
        return await self("POST", "/catalog/import", "operator", content=lines, **more)


@pytest.fixture
async def call(held: Connections, settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[Caller]:
    app = SERVICE.app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://recommendation") as client:
            yield Caller(client, tokens, f"tenant-{secrets.token_hex(4)}")


@dataclass
class View:
    """Writes what this service's own view of a tenant's privacy holds."""

    c: Connections
    tenant: str

    async def policy(self, policy: Policy = ALLOWED) -> None:
        view = ConsentView(self.c.db)
        await in_transaction(self.c.client, lambda session: view.put_policy(self.tenant, policy, session))

    async def decide(self, learner: str, **purposes: str) -> None:
        view = ConsentView(self.c.db)
        state = decisions(2, **purposes)
        await in_transaction(self.c.client, lambda session: view.put_state(self.tenant, learner, state, session))


@pytest.fixture
async def view(held: Connections, call: Caller) -> View:
    """With the policy that allows all."""
    result = View(held, call.tenant)
    await result.policy()
    return result


def decisions(version: int, **purposes: str) -> ConsentState:
    now = datetime.now(UTC)
    return ConsentState(
        version=version, purposes={p: Decision(status=ConsentStatus(s), since=now) for p, s in purposes.items()}
    )


@dataclass
class Sender:
    """Publishes as another service would."""

    publisher: Publisher
    tenant: str

    async def __call__(self, topic: Topic, subject: str | None, payload: BaseModel | None) -> None:
        message = Outgoing(topic, str(uuid4()), self.tenant, subject, datetime.now(UTC), payload)
        await self.publisher.publish([message])


@pytest.fixture
async def send(held: Connections, call: Caller) -> AsyncIterator[Sender]:
    async with Publisher(held.kafka, held.sealer) as publisher:
        yield Sender(publisher, call.tenant)


@asynccontextmanager
async def working(c: Connections) -> AsyncIterator[None]:
    task = asyncio.create_task(worker(c).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.05)


def evidence(activity: str, competency: str, correctness: float, *, days_ago: float = 0.0, number: int = 0) -> Evidence:
    at = datetime.now(UTC) - timedelta(days=days_ago) + timedelta(seconds=number)
    return Evidence(
        statement_id=f"{activity}/{number}",
        at=at,
        stored=at,
        activity_id=activity,
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((competency, 1.0),),
        correctness=correctness,
        tags=(competency.split("/")[0],),
    )


def profile(version: int, *rows: Evidence) -> LearnerProfile:
    last = max((row.statement_id for row in rows), default=None)
    return LearnerProfile(version=version, reflects=last, statements=len(rows), state=fold_all(rows))

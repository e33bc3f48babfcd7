"""The learner_profile service on a real MongoDB and a real Kafka."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from events import topics
from events.envelope import Message, Outgoing
from events.kafka import create_topics
from events.payloads import (
    Basis,
    CatalogActivity,
    CatalogCompetency,
    ConsentState,
    ConsentStatus,
    Decision,
    IdentityMerge,
    Policy,
    PurposePolicy,
    RosterRole,
    Statement,
    Unknown,
)
from events.payloads import Request as PrivacyRequest
from events.publisher import Publisher
from events.topics import Topic
from learner_profile.activities.handlers import CatalogHandler
from learner_profile.activities.remapping import Remapper
from learner_profile.app import create
from learner_profile.evidence.handlers import StatementsHandler
from learner_profile.learners.rebuilding import Rebuilder, Views
from learner_profile.roles.handlers import RolesHandler
from learner_profile.roles.repository import RuleRepository
from learner_profile.roles.ruling import Ruling
from learner_profile.service import SERVICE
from learner_profile.settings import EvidenceSettings
from learner_profile.worker import participant, views
from service_kit.erasing import Erasing
from service_kit.frameworks import CompetenciesHandler, FrameworkRepository
from service_kit.leases import Leases
from service_kit.mongo import in_transaction
from service_kit.outbox import SHARDS
from service_kit.privacy import PrivacyHandler
from service_kit.runtime import Connections, Worker, connections
from service_kit.settings import ServiceSettings

from tests.support.serving import serve
from tests.support.tokens import Tokens

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOME = "https://trellis.invalid/learners"
ADL = "http://adlnet.gov/expapi/verbs/"
WHY = {"reason": "The projector failed and nobody saw the question"}
Json = dict[str, Any]


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


@pytest_asyncio.fixture
async def c(settings: ServiceSettings) -> AsyncIterator[Connections]:
    """Connections, with the service's topics and indexes and those of the services it hears."""
    await SERVICE.init(settings)
    async with connections(SERVICE.name, settings) as made:
        await create_topics(made.kafka, topics.ALL)
        yield made


@pytest.fixture
def tenant() -> str:
    return f"tenant-{secrets.token_hex(4)}"


@pytest.fixture
def house(c: Connections, tenant: str) -> House:
    return House.of(c, tenant)


def policy(basis: Basis = Basis.public_task, unknown: Unknown = Unknown.allowed) -> Policy:
    return Policy(version=1, purposes={"profile": PurposePolicy(basis=basis, unknown=unknown)})


def statement(number: int, **more: Any) -> dict[str, Any]:
    """A self-made answer: number decides id, time, activity and success."""
    at = START + timedelta(minutes=number)
    plain = {
        "id": f"{number:08d}-0000-4000-8000-{secrets.token_hex(6)}",
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": "self"}},
        "verb": {"id": f"{ADL}answered"},
        "object": {"id": f"https://lms.example/activity/{number % 7}"},
        "result": {"score": {"scaled": (number * 37 % 11) / 10}, "duration": f"PT{20 + number % 30}S"},
        "context": {"contextActivities": {"grouping": [course(number % 3)]}},
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "stored": (at + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
    }
    return plain | more


def course(number: int) -> dict[str, Any]:
    definition = {"type": "http://adlnet.gov/expapi/activities/course", "name": {"en": f"Course {number}"}}
    return {"id": f"https://lms.example/course/{number}", "definition": definition}


def voiding(target: str) -> dict[str, Any]:
    return statement(
        900,
        actor={"objectType": "Agent", "account": {"homePage": HOME, "name": "other-1"}},
        verb={"id": f"{ADL}voided"},
        object={"objectType": "StatementRef", "id": target},
    )


@dataclass
class House:
    """The service's parts in one tenant, driven by hand: what the worker would do, a step at a time."""

    c: Connections
    tenant: str
    views: Views
    handler: StatementsHandler
    catalog: CatalogHandler
    privacy: PrivacyHandler
    rebuilder: Rebuilder
    remapper: Remapper
    roles: RolesHandler
    published: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, c: Connections, tenant: str) -> House:
        v = views(c)
        remapper = Remapper(v.activities, v.evidence, v.learners, v.merges, c.clock)
        return cls(
            c,
            tenant,
            v,
            StatementsHandler(v, c.clock, EvidenceSettings()),
            CatalogHandler(v.activities, remapper, c.clock),
            PrivacyHandler(c.service, c.db, participant(c, v), c.clock),
            Rebuilder(c.client, v, Leases(c.db, f"rebuild-{tenant}", SHARDS), lambda: None),
            remapper,
            RolesHandler(v),
        )

    def message(self, topic: Topic, subject: str | None, payload: Any) -> Message:
        return Message(topic, 0, 0, self.tenant, subject, str(uuid4()), START, None, payload)

    async def run(self, body: Callable[[Sequence[Message], Any], Awaitable[None]], *messages: Message) -> None:
        await in_transaction(self.c.client, lambda session: body(messages, session))

    async def statements(self, learner: str, *found: dict[str, Any]) -> None:
        """One batch of statements, in one transaction."""
        sent = [self.message(topics.STATEMENTS, learner, Statement(one)) for one in found]
        await self.run(self.handler.handle, *sent)

    async def policy(self, found: Policy | None = None) -> None:
        await self.run(self.privacy.handle, self.message(topics.POLICIES, None, found or policy()))

    async def decide(self, learner: str, version: int, status: str, purpose: str = "profile") -> None:
        decision = Decision(status=ConsentStatus(status), since=START)
        state = ConsentState(version=version, purposes={purpose: decision})
        await self.run(self.privacy.handle, self.message(topics.CONSENTS, learner, state))

    async def erase(self, learner: str) -> None:
        request = PrivacyRequest(request_id=str(uuid4()), type="erasure")
        await self.run(self.privacy.handle, self.message(topics.REQUESTS, learner, request))
        c, forgets = self.c, participant(self.c, self.views)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRELLIS_ERASURE_FENCE_SECONDS", "0.001")
            erasing = Erasing(c.client, c.db, c.service, forgets, c.clock, self.privacy.receipt, lambda: None)
        while await self.c.db["erasures"].find_one({"_id": f"{self.tenant}/{request.request_id}"}):
            await erasing.turn()

    async def merge(self, learner: str, into: str | None, version: int = 1) -> None:
        """Say that the learner is the same person as another; `into` None: no longer."""
        said = IdentityMerge(version=version, into=into)
        await self.run(self.privacy.handle, self.message(topics.MERGES, learner, said))
        await self.settle()

    async def activities(self, *found: CatalogActivity) -> None:
        await self.run(self.catalog.handle, *[self.message(topics.ACTIVITIES, one.id, one) for one in found])

    async def competencies(self, *found: CatalogCompetency) -> None:
        handler = CompetenciesHandler(FrameworkRepository(self.c.db))
        await self.run(handler.handle, *[self.message(topics.COMPETENCIES, one.id, one) for one in found])

    async def role(
        self, learner: str, *roles: str, learns_in: Sequence[str] = (), teaches_in: Sequence[str] = ()
    ) -> None:
        """What the roster says from now on; without roles: it no longer names the person."""
        said = {"roles": roles, "learns_in": learns_in, "teaches_in": teaches_in}
        role = RosterRole.model_validate(said) if roles else None
        await self.run(self.roles.handle, self.message(topics.ROLES, learner, role))

    async def settle(self) -> None:
        """Mark and rebuild until nothing is left to do."""
        ruling = Ruling(self.c.client, RuleRepository(self.c.db), self.views.learners)
        while await ruling.turn():
            pass
        while await self.remapper.turn() + await self.rebuilder.turn():
            pass

    async def document(self, learner: str) -> dict[str, Any] | None:
        return await self.c.db["learners"].find_one({"_id": f"{self.tenant}/{learner}"})

    async def state(self, learner: str) -> tuple[bytes, Any, int]:
        """What must not depend on the order of arrival: the sealed bytes, `reflects`, the count."""
        document = await self.document(learner)
        assert document is not None
        assert "dirty" not in document
        return document["data"], document["reflects"], document["statements"]

    async def rows(self, learner: str, *, voided: bool = False) -> int:
        query = {"tenant": self.tenant, "learner": learner, "voided": voided}
        return int(await self.c.db["evidence"].count_documents(query))


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    """The worker's jobs, until the body ends."""
    task = asyncio.create_task(worker.run())
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """The first true answer of the check."""
    async with asyncio.timeout(seconds):
        while True:
            if found := await check():
                return found
            await asyncio.sleep(0.02)


async def publish(c: Connections, *messages: Outgoing) -> None:
    async with Publisher(c.kafka, c.sealer) as publisher:
        await publisher.publish(messages)


class Class:
    """A learner with three answers, and a teacher of the same class; calls in their names."""

    def __init__(self, house: House, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        self.house, self.client, self.tokens = house, client, tokens
        self.learner, self.teacher = str(uuid4()), str(uuid4())
        self.right, self.wrong, self.last = (
            statement(number, result={"score": {"scaled": share}}) for number, share in ((3, 1.0), (6, 0.0), (9, 1.0))
        )

    async def begin(self) -> None:
        allowed = PurposePolicy(basis=Basis.public_task, unknown=Unknown.allowed)
        await self.house.policy(policy().model_copy(update={"purposes": {"profile": allowed, "teach": allowed}}))
        await self.house.role(self.learner, "learner", learns_in=["class-7b", "school-n"])
        await self.house.role(self.teacher, "teacher", teaches_in=["class-7b"])
        await self.house.statements(self.learner, self.right, self.wrong, self.last)

    async def call(self, method: str, path: str, role: str, as_: str | None = None, **more: Any) -> httpx2.Response:
        headers = self.tokens.headers(role, tenant=self.house.tenant, learner=as_)
        return await self.client.request(method, f"/learners/{self.learner}{path}", headers=headers, **more)

    async def judge(self, act: str, role: str, as_: str | None, body: Json = WHY) -> httpx2.Response:
        return await self.call("POST", f"/evidence/{self.wrong['id']}/{act}", role, as_, json=body)

    async def probability(self) -> float:
        await self.house.settle()
        at = {"as_of": "2026-03-01T12:00:00Z"}
        model = (await self.call("GET", "", "learner", self.learner, params=at)).json()
        return float(model["competencies"][0]["probability"])

    async def item(self) -> Json:
        items = (await self.call("GET", "/timeline", "teacher", self.teacher)).json()["items"]
        found: Json = next(one for one in items if one["statement_id"] == self.wrong["id"])
        return found


@pytest_asyncio.fixture
async def room(house: House, settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[Class]:
    async with serve(create(settings)) as url, httpx2.AsyncClient(base_url=url, timeout=10) as client:
        one = Class(house, client, tokens)
        await one.begin()
        yield one

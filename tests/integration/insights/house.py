"""Insights of a test's own, beside a real ingest that knows the accounts; both in this process."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from events.payloads import (
    Basis,
    CatalogCompetency,
    ConsentState,
    ConsentStatus,
    Decision,
    LearnerProfile,
    Policy,
    ProfileStatus,
    PurposePolicy,
    Unknown,
)
from fastapi import FastAPI
from ingest.app import create as create_ingest
from ingest.service import SERVICE as INGEST
from insights.app import create
from insights.service import SERVICE
from insights.states.repository import Kept, StateRepository
from learner_model import Evidence, EvidenceKind, LearnerState
from learner_model.reading import fold_all
from service_kit.consent import ConsentView
from service_kit.frameworks import FrameworkRepository
from service_kit.leases import LEASES
from service_kit.mongo import Session, ensure, in_transaction
from service_kit.positions import POSITIONS
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.serving import serve
from tests.support.tokens import Tokens

HOME = "https://lms.example.org"
COLUMNS = (
    "account_home_page",
    "account_name",
    "role",
    "display_name",
    "class",
    "school",
    "district",
    "region",
    "attributes",
)
PURPOSES = ("record", "profile", "recommend", "teach", "insights")
ALLOWED = Policy(
    version=1,
    purposes={p: PurposePolicy(basis=Basis.public_task, unknown=Unknown.allowed) for p in PURPOSES},
)

Row = dict[str, str]


def row(name: str, class_: str = "", school: str = "", *, role: str = "learner", **more: str) -> Row:
    return {"account_home_page": HOME, "account_name": name, "role": role, "class": class_, "school": school, **more}


def as_csv(rows: Iterable[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def learner_state(*correct: float, competency: str = "fractions", days_ago: float = 1.0) -> LearnerState:
    """The state after these responses."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return fold_all(
        Evidence(
            statement_id=f"s{i}",
            at=at - timedelta(minutes=len(correct) - i),
            stored=at,
            activity_id="https://content.example.org/a",
            verb_id="http://adlnet.gov/expapi/verbs/answered",
            kind=EvidenceKind.RESPONSE,
            correctness=value,
            competencies=((competency, 1.0),),
        )
        for i, value in enumerate(correct)
    )


def profile(
    state: LearnerState | None, version: int = 1, *, days_ago: float = 1.0, statements: int = 3
) -> LearnerProfile:
    if state is None:
        return LearnerProfile(version=version, status=ProfileStatus.closed)
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return LearnerProfile(version=version, statements=statements, last_statement_at=at, state=state)


@dataclass
class House:
    """One tenant's view of a running insights."""

    app: FastAPI
    http: httpx2.AsyncClient
    connections: Connections
    tokens: Tokens
    ingest_url: str
    tenant: str

    def bearer(self, *roles: str, learner: str | None = None) -> dict[str, str]:
        return self.tokens.headers(*roles, tenant=self.tenant, learner=learner)

    async def get(self, path: str, *roles: str, learner: str | None = None, **query: str) -> httpx2.Response:
        return await self.http.get(path, params=query, headers=self.bearer(*roles, learner=learner) if roles else {})

    async def roster(self, rows: Iterable[Row] | bytes, mode: str = "replace") -> httpx2.Response:
        body = rows if isinstance(rows, bytes) else as_csv(rows)
        headers = self.bearer("operator") | {"Content-Type": "text/csv"}
        return await self.http.post("/rosters/import", params={"mode": mode}, content=body, headers=headers)

    async def learner(self, name: str) -> str:
        """The learner behind an account, from ingest."""
        return (await self.learners_of([name]))[name]

    async def learners_of(self, names: Collection[str]) -> dict[str, str]:
        agents = [{"account": {"homePage": HOME, "name": name}} for name in names]
        async with httpx2.AsyncClient(base_url=self.ingest_url) as client:
            answer = await client.post("/identities", json=agents, headers=self.bearer("app"))
        items = answer.raise_for_status().json()["items"]
        return {name: item["learner_id"] for name, item in zip(names, items, strict=True)}

    async def policy(self, policy: Policy = ALLOWED) -> None:
        view = ConsentView(self.connections.db)
        await in_transaction(self.connections.client, lambda session: view.put_policy(self.tenant, policy, session))

    async def decide(self, name: str, **purposes: str) -> None:
        now = datetime.now(UTC)
        state = ConsentState(
            version=2, purposes={p: Decision(status=ConsentStatus(s), since=now) for p, s in purposes.items()}
        )
        learner, view = await self.learner(name), ConsentView(self.connections.db)
        await in_transaction(self.connections.client, lambda s: view.put_state(self.tenant, learner, state, s))

    async def profiles(self, profiles: Mapping[str, LearnerProfile]) -> None:
        """As if these had come from learner_profile."""
        learners = await self.learners_of(profiles.keys())
        kept = [Kept(learners[name], one) for name, one in profiles.items()]
        states = StateRepository(self.connections.db, self.connections.sealer)

        async def keep(session: Session) -> None:
            await states.keep(self.tenant, kept, session)

        await in_transaction(self.connections.client, keep)

    async def frameworks(self, framework: str, **titles: str) -> None:
        """A framework whose competencies are parts of it alone, as if it had come from recommendation."""
        found = {
            name: CatalogCompetency(id=name, title=title, framework=framework, parents=[framework])
            for name, title in titles.items()
        }
        view = FrameworkRepository(self.connections.db)
        await in_transaction(self.connections.client, lambda session: view.put(self.tenant, found, session))

    async def report(self, scope: str = "nation", *roles: str, **query: str) -> dict[str, Any]:
        answer = await self.get(f"/reports/{scope}", *(roles or ("authority",)), **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def running(tokens: Tokens, environment: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """Both services on the namespace of the environment, for a tenant of this house's own, whose policy allows all."""
    tenant = f"t{secrets.token_hex(4)}"
    settings = ServiceSettings()
    async with connections(INGEST.name, settings) as c:
        await ensure(c.db, INGEST.collections)
    async with connections(SERVICE.name, settings) as c, serve(create_ingest(settings)) as ingest_url:
        await ensure(c.db, [POSITIONS, LEASES, *SERVICE.collections])
        environment.setenv("TRELLIS_INGEST_URL", ingest_url)
        environment.setenv("TRELLIS_SERVICE_TOKEN", tokens.make("service", tenant="*", service="insights"))
        app = create(ServiceSettings())
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://insights") as client,
        ):
            house = House(app, client, c, tokens, ingest_url, tenant)
            await house.policy()
            yield house

"""Wiring: settings → clients → endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from service_kit.app import create_app
from service_kit.consent import ConsentView
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from ingest.about import endpoints as about
from ingest.activities import endpoints as activities
from ingest.activities.knowing import KnownActivities
from ingest.activities.learning import Learning
from ingest.activities.repository import ActivityRepository
from ingest.agents import endpoints as agents
from ingest.agents.knowing import KnownAgents
from ingest.credentials import endpoints as credentials
from ingest.credentials.repository import CredentialRepository
from ingest.credentials.verification import Verifier
from ingest.documents import endpoints as documents
from ingest.documents.keeping import Keeper
from ingest.documents.repository import DocumentRepository
from ingest.http import middleware, openapi
from ingest.http.settings import XapiSettings
from ingest.identities import endpoints as identities
from ingest.identities.repository import IdentityRepository
from ingest.identities.resolving import Resolver
from ingest.state import State
from ingest.statements import endpoints as statements
from ingest.statements.recording import Recorder
from ingest.statements.repository import StatementRepository
from ingest.statements.stamps import Stamps
from ingest.stats import endpoints as stats

DESCRIPTION = """A Learning Record Store for xAPI 1.0.3 and 2.0, side by side, chosen by `X-Experience-API-Version`.
The alternate request syntax of 1.0.3 is served for every resource, and is not part of this document."""


def create(settings: ServiceSettings) -> FastAPI:
    xapi = XapiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections("ingest", settings) as c:
            app.state.ingest = build(c, xapi)
            yield

    return create_app(
        title="Trellis ingest",
        description=DESCRIPTION,
        settings=settings,
        lifespan=lifespan,
        routers=[
            about.router,
            statements.router,
            documents.router,
            activities.router,
            agents.router,
            identities.router,
            credentials.router,
            stats.router,
        ],
        within_limit=middleware.WITHIN_LIMIT,
        around=middleware.around(xapi),
        openapi_more=openapi.with_xapi,
    )


def build(c: Connections, xapi: XapiSettings) -> State:
    statements = StatementRepository(c.client, c.db, c.sealer)
    credentials = CredentialRepository(c.db)
    consents = ConsentView(c.db)
    known = IdentityRepository(c.db, c.sealer)
    identities = Resolver(known)
    activities, agents = KnownActivities(ActivityRepository(c.db)), KnownAgents(known)
    stamps = Stamps(c.clock)
    return State(
        statements=statements,
        recorder=Recorder(statements, identities, consents, stamps, Learning(activities, agents)),
        stamps=stamps,
        identities=identities,
        documents=Keeper(DocumentRepository(c.db, c.sealer), identities, consents, c.clock),
        activities=activities,
        agents=agents,
        consents=consents,
        credentials=credentials,
        verifier=Verifier(credentials),
        clock=c.clock,
        xapi=xapi,
    )

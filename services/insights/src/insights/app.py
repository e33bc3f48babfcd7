"""Wiring: settings → clients → endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI
from service_kit.app import create_app
from service_kit.consent import ConsentView
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from insights.pages import endpoints as pages
from insights.reports import endpoints as reports
from insights.reports.reporting import Reporter
from insights.rosters import endpoints as rosters
from insights.rosters.identities import IngestIdentities
from insights.rosters.importing import Importer
from insights.rosters.repository import RosterRepository
from insights.state import State
from insights.states.repository import StateRepository
from insights.stats import endpoints as stats

DESCRIPTION = """Rosters, and reports on classes, schools, districts, regions and the nation. Every figure is reckoned
against the roster; groups under 10 are not shown."""
INGEST_TIMEOUT_SECONDS = 30.0


def create(settings: ServiceSettings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections("insights", settings) as c, httpx2.AsyncClient(timeout=INGEST_TIMEOUT_SECONDS) as http:
            app.state.insights = build(c, http)
            yield

    return create_app(
        title="Trellis insights",
        description=DESCRIPTION,
        settings=settings,
        lifespan=lifespan,
        routers=[rosters.router, reports.router, stats.router, pages.router],
    )


def build(c: Connections, http: httpx2.AsyncClient) -> State:
    rosters_ = RosterRepository(c.db, c.sealer)
    states = StateRepository(c.db, c.sealer)
    consents = ConsentView(c.db)
    return State(
        settings=c.settings,
        rosters=rosters_,
        states=states,
        importer=Importer(c.client, rosters_, IngestIdentities(http, c.settings.peers), consents),
        reporter=Reporter(rosters_, states, consents, c.clock),
    )

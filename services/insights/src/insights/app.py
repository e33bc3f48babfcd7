"""Wiring: settings → clients → endpoints."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import httpx2
from fastapi import FastAPI, Request
from service_kit import subjects
from service_kit.app import create_app
from service_kit.consent import ConsentView
from service_kit.frameworks import FrameworkRepository
from service_kit.keys import clearing as sealing
from service_kit.keys.clearing import Clearing
from service_kit.merging import Merges
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from insights.pages import endpoints as pages
from insights.reports import endpoints as reports
from insights.reports.reporting import Reporter
from insights.rosters import endpoints as rosters
from insights.rosters.identities import IngestIdentities
from insights.rosters.importing import Importer
from insights.rosters.repository import RosterRepository
from insights.state import State, state_of
from insights.states.repository import StateRepository
from insights.states.subject import HeldByInsights
from insights.stats import endpoints as stats

DESCRIPTION = """Rosters, and reports on classes, schools, districts, regions and the nation. Every figure is reckoned
against the roster; groups under 10 are not shown."""
INGEST_TIMEOUT_SECONDS: Final = 30.0
COLLECT_AFTER: Final = 100_000


def create(settings: ServiceSettings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections("insights", settings) as c, httpx2.AsyncClient(timeout=INGEST_TIMEOUT_SECONDS) as http:
            app.state.audit = c.audit
            app.state.clearing = Clearing(c.client, c.db, "insights", c.clock)
            app.state.insights = build(c, http)
            with patient_collector():
                yield

    return create_app(
        title="Trellis insights",
        description=DESCRIPTION,
        settings=settings,
        lifespan=lifespan,
        routers=[rosters.router, reports.router, stats.router, pages.router, subjects.router(_held), sealing.router],
    )


@contextmanager
def patient_collector() -> Iterator[None]:
    """Look for cycles less often than after 700 new objects: a report holds hundreds of thousands until its end, and to
    walk them again and again was half of its time (28,785 learners: 2.7 s of CPU, with this 1.4 s).
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def build(c: Connections, http: httpx2.AsyncClient) -> State:
    rosters_ = RosterRepository(c.db, c.sealer)
    states = StateRepository(c.db, c.sealer)
    consents = ConsentView(c.db)
    return State(
        settings=c.settings,
        rosters=rosters_,
        states=states,
        importer=Importer(c.client, rosters_, IngestIdentities(http, c.settings.peers), consents),
        reporter=Reporter(rosters_, states, FrameworkRepository(c.db), consents, c.clock, Merges(c.db)),
    )


def _held(request: Request) -> HeldByInsights:
    state = state_of(request)
    return HeldByInsights(state.rosters, state.states)

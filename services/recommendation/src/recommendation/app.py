"""Wiring of the HTTP process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from service_kit import subjects
from service_kit.app import create_app
from service_kit.consent import ConsentView
from service_kit.keys import clearing as sealing
from service_kit.keys.clearing import Clearing
from service_kit.merging import Merges
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from recommendation.catalog import endpoints as catalog
from recommendation.catalog.held import HeldCatalogs
from recommendation.catalog.repository import CatalogRepository
from recommendation.frameworks import endpoints as frameworks
from recommendation.frameworks.repository import FrameworkRepository
from recommendation.learners.repository import LearnerRepository
from recommendation.recommendations import endpoints as recommendations
from recommendation.recommendations.subject import HeldByRecommendation
from recommendation.settings import CatalogSettings
from recommendation.state import State
from recommendation.stats import endpoints as stats

NAME: Final = "recommendation"


def create(settings: ServiceSettings) -> FastAPI:
    """The app; clients are made when it starts and closed when it stops."""
    own = CatalogSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections(NAME, settings) as c:
            repository = CatalogRepository(c.client, c.db, c.clock)
            frameworks_ = FrameworkRepository(c.client, c.db, c.clock)
            app.state.audit = c.audit
            app.state.clearing = Clearing(c.client, c.db, NAME, c.clock)
            app.state.recommendation = State(
                own,
                repository,
                frameworks_,
                HeldCatalogs(repository, frameworks_),
                LearnerRepository(c.db, c.sealer),
                ConsentView(c.db),
                c.clock,
                Merges(c.db),
            )
            yield

    return create_app(
        title="Trellis recommendation",
        description="The catalog of activities, and what a learner may do next, with the reasons.",
        settings=settings,
        lifespan=lifespan,
        routers=[
            catalog.router,
            frameworks.router,
            recommendations.router,
            stats.router,
            subjects.router(_held),
            sealing.router,
        ],
        body_limit_bytes=own.body_limit_bytes,
    )


def _held(request: Request) -> HeldByRecommendation:
    state: State = request.app.state.recommendation
    return HeldByRecommendation(state.learners, state.held, state.consents, state.clock)

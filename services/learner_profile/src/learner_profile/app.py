"""Wiring of the HTTP process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from service_kit.peers import TIMEOUT_SECONDS, Peers
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from learner_profile.activities.repository import ActivityRepository
from learner_profile.competencies import endpoints as competencies
from learner_profile.estimates import signals
from learner_profile.estimates.overruling import Overruler
from learner_profile.estimates.repository import EstimateRepository
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.judgements import endpoints as judgements
from learner_profile.judgements.judging import Judging
from learner_profile.learners import endpoints as learners
from learner_profile.learners.placing import Placing
from learner_profile.learners.repository import LearnerRepository
from learner_profile.learners.subject import HeldByProfile
from learner_profile.parameters.repository import ParametersRepository
from learner_profile.parameters.shelf import Shelf
from learner_profile.records import endpoints as records
from learner_profile.records.importing import Importing
from learner_profile.records.repository import ClaimRepository
from learner_profile.records.trusting import TrustedIssuers
from learner_profile.retention.bases import BaseRepository
from learner_profile.roles.repository import RoleRepository
from learner_profile.settings import RecordSettings
from learner_profile.state import State, state_of
from learner_profile.stats import endpoints as stats
from learner_profile.unmapped import endpoints as unmapped

NAME: Final = "learner_profile"


def create(settings: ServiceSettings) -> FastAPI:
    """The app; clients are made when it starts and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections(NAME, settings) as c, httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            app.state.audit = c.audit
            app.state.clearing = Clearing(c.client, c.db, NAME, c.clock)
            learners_, evidence = LearnerRepository(c.db, c.sealer, c.clock), EvidenceRepository(c.db, c.sealer)
            estimates_ = EstimateRepository(c.db, c.sealer)
            claims = ClaimRepository(c.db, c.sealer, c.clock)
            peers = Peers(http, settings.peers)
            issuers = TrustedIssuers(RecordSettings().record_issuers)
            app.state.learner_profile = State(
                learners_,
                evidence,
                ActivityRepository(c.db),
                ConsentView(c.db),
                RoleRepository(c.db),
                c.clock,
                Judging(c.client, evidence, learners_, c.audit),
                Placing(FrameworkRepository(c.db), estimates_),
                Overruler(c.client, estimates_, learners_, c.audit),
                Merges(c.db),
                claims,
                Importing(c.client, claims, issuers, peers, c.clock),
                peers,
                BaseRepository(c.db, c.sealer, c.clock),
                Shelf(ParametersRepository(c.db)),
            )
            yield

    return create_app(
        title="Trellis learner_profile",
        description="What a learner knows, likes and how fast: from the learner's own evidence, with its uncertainty.",
        settings=settings,
        lifespan=lifespan,
        routers=[
            judgements.router,
            judgements.contests_router,
            records.router,
            learners.router,
            competencies.router,
            signals.router,
            stats.router,
            unmapped.router,
            subjects.router(_held),
            sealing.router,
        ],
    )


def _held(request: Request) -> HeldByProfile:
    state = state_of(request)
    return HeldByProfile(state)

"""The HTTP side: settings → clients → endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import service_kit.app
from fastapi import FastAPI
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from privacy.access import endpoints as access
from privacy.audit import endpoints as audit
from privacy.certificates import endpoints as certificates
from privacy.closing import endpoints as closing
from privacy.consents import endpoints as consents
from privacy.guardians import endpoints as guardians
from privacy.keys import endpoints as keys
from privacy.keys.directory import OwnDirectory
from privacy.keys.parts import KeyParts
from privacy.my import endpoints as my
from privacy.policies import endpoints as policies
from privacy.processing import endpoints as processing
from privacy.records import endpoints as records
from privacy.requests import endpoints as requests
from privacy.retention import endpoints as retention
from privacy.retention import holds_endpoints as legal_holds
from privacy.state import State


def create(settings: ServiceSettings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections("privacy", settings, OwnDirectory.of) as c:
            app.state.privacy = State.of(c)
            app.state.keys = KeyParts.of(c)
            yield

    return service_kit.app.create_app(
        title="Trellis privacy",
        description="Policies, consent, data subjects' requests and keys.",
        settings=settings,
        lifespan=lifespan,
        routers=[
            policies.router,
            processing.router,
            consents.router,
            guardians.router,
            requests.router,
            access.router,
            certificates.router,
            records.router,
            retention.router,
            legal_holds.router,
            closing.router,
            audit.router,
            keys.router,
            my.router,
            my.pages,
        ],
    )

"""Wiring: settings → clients → endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from service_kit import subjects
from service_kit.app import create_app
from service_kit.auth import Authenticator
from service_kit.consent import ConsentView
from service_kit.keys import clearing as sealing
from service_kit.keys.clearing import Clearing
from service_kit.merging import Merges
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from ingest.about import endpoints as about
from ingest.activities import endpoints as activities
from ingest.activities.knowing import KnownActivities
from ingest.activities.learning import Learning
from ingest.activities.repository import ActivityRepository
from ingest.agents import endpoints as agents
from ingest.agents.knowing import KnownAgents
from ingest.attachments.answering import Answerer
from ingest.attachments.blobs import blobs_by
from ingest.attachments.receiving import Limits, Receiver
from ingest.attachments.repository import AttachmentRepository
from ingest.attachments.signatures import Signatures
from ingest.credentials import endpoints as credentials
from ingest.credentials import reach
from ingest.credentials.repository import CredentialRepository
from ingest.credentials.use import LastUse
from ingest.credentials.verification import Verifier
from ingest.disclosures.repository import DisclosureRepository
from ingest.documents import endpoints as documents
from ingest.documents.keeping import Keeper
from ingest.documents.repository import DocumentRepository
from ingest.emitters import endpoints as emitters
from ingest.emitters.parts import Emitters
from ingest.exports import endpoints as exports
from ingest.forwarding import endpoints as forwarding
from ingest.forwarding.repository import ForwardingRepository
from ingest.http import middleware, openapi
from ingest.identities import endpoints as identities
from ingest.identities.drawn import learners_of
from ingest.identities.repository import IdentityRepository
from ingest.identities.resolving import Resolver
from ingest.identities.returning import RefusedReturns
from ingest.imports import endpoints as imports
from ingest.imports.repository import ImportRepository
from ingest.launches import endpoints as launches
from ingest.launches import repository as launched
from ingest.launches.launching import Launcher
from ingest.merges import endpoints as merges
from ingest.merges.merging import Merging
from ingest.merges.repository import MergeRepository
from ingest.republishing.repository import RepublicationRepository
from ingest.settings import AccessSettings, AttachmentSettings, XapiSettings
from ingest.state import State, state_of
from ingest.statements import endpoints as statements
from ingest.statements.recording import Recorder
from ingest.statements.repository import StatementRepository
from ingest.statements.restricted import Restricted
from ingest.statements.stamps import LEASE_SECONDS, Stamps
from ingest.statements.writers import Writers
from ingest.stats import endpoints as stats
from ingest.subjects import leaving, records, rectifying
from ingest.subjects.reading import HeldByIngest

DESCRIPTION = """A Learning Record Store for xAPI 1.0.3 and 2.0, side by side, chosen by `X-Experience-API-Version`.
The alternate request syntax of 1.0.3 is served for every resource, and is not part of this document."""


def create(settings: ServiceSettings) -> FastAPI:
    xapi = XapiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connections("ingest", settings) as c:
            app.state.audit = c.audit
            app.state.clearing = Clearing(c.client, c.db, "ingest", c.clock)
            app.state.ingest = build(c, xapi, AccessSettings(), app.state.authenticator)
            async with app.state.ingest.stamps.kept(), app.state.ingest.emitters.watcher.running():
                yield
            await app.state.ingest.verifier.close()

    return create_app(
        title="Trellis ingest",
        description=DESCRIPTION,
        settings=settings,
        lifespan=lifespan,
        routers=[
            statements.router,
            about.router,
            documents.router,
            activities.router,
            agents.router,
            identities.router,
            merges.router,
            credentials.router,
            reach.router,
            launches.router,
            imports.router,
            exports.router,
            forwarding.router,
            emitters.router,
            stats.router,
            subjects.router(lambda request: state_of(request).subjects, readers=("privacy", "learner_profile")),
            sealing.router,
            rectifying.router,
            records.router,
            leaving.router,
        ],
        body_limit_bytes=middleware.body_limit(settings.http.body_limit_bytes, AttachmentSettings()),
        within_limit=middleware.WITHIN_LIMIT,
        around=middleware.around(xapi),
        openapi_more=openapi.with_xapi,
    )


def build(c: Connections, xapi: XapiSettings, access: AccessSettings, authenticator: Authenticator) -> State:
    statements = StatementRepository(c.client, c.db, c.sealer)
    credentials = CredentialRepository(c.db, c.clock)
    launches = launched.LaunchRepository(c.db, c.sealer)
    consents = ConsentView(c.db, may_be_old=True)  # for recording alone
    known = IdentityRepository(c.db, c.sealer)
    identities = Resolver(known, RefusedReturns(c.db), learners_of(c.keys))
    merging = Merging(
        c.client,
        MergeRepository(c.db),
        Merges(c.db),
        consents,
        identities,
        known,
        RepublicationRepository(c.db),
        c.audit,
        c.clock,
    )
    activities, agents = KnownActivities(ActivityRepository(c.db)), KnownAgents(known, merging.view)
    stamps = Stamps(c.clock, Writers(c.db, lease_seconds=LEASE_SECONDS))
    recorder = Recorder(statements, identities, consents, stamps, Learning(activities, agents))
    documents = Keeper(DocumentRepository(c.db, c.sealer), identities, consents, c.clock)
    settings = AttachmentSettings()
    attachments = AttachmentRepository(c.db, blobs_by(settings, c.db), c.sealer, c.clock)
    limits = Limits(c.settings.http.body_limit_bytes, settings.attachments_a_request)
    return State(
        statements=statements,
        recorder=recorder,
        attachments=attachments,
        receiver=Receiver(attachments, Signatures.trusting(settings.signature_roots), limits),
        answerer=Answerer(attachments),
        stamps=stamps,
        identities=identities,
        documents=documents,
        activities=activities,
        agents=agents,
        consents=consents,
        credentials=credentials,
        verifier=Verifier(
            credentials.known,
            others={launched.PREFIX: launches.known},
            authenticator=authenticator,
            last_use=LastUse(credentials.used),
            rate=access.rate,
            clock=c.clock,
        ),
        launches=launches,
        launcher=Launcher(launches, identities, documents, recorder, c.clock),
        public_url=access.public_url,
        clock=c.clock,
        xapi=xapi,
        imports=ImportRepository(c.db),
        forwardings=ForwardingRepository(c.client, c.db, c.sealer),
        emitters=Emitters.of(c, recorder, identities, consents),
        subjects=HeldByIngest(c.db, statements, known, attachments, c.sealer, merging.view),
        disclosures=DisclosureRepository(c.db),
        known_identities=known,
        restricted=Restricted(consents),
        held_keys=None if c.keys is None else c.keys.held,
        merging=merging,
    )

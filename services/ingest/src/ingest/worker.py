"""What runs beside HTTP: the part in privacy's conversation, and the relay, apart so that it can be left out."""

import httpx2
from service_kit.consent import ConsentView
from service_kit.runtime import Connections, Worker
from service_kit.turning import Turning

from ingest.attachments.blobs import blobs_by
from ingest.attachments.repository import AttachmentRepository
from ingest.attachments.sweeping import Sweeping
from ingest.disclosures.passing import PassingOn, targets
from ingest.disclosures.repository import DisclosureRepository
from ingest.disclosures.telling import Telling
from ingest.documents.repository import DocumentRepository
from ingest.emitters.quarantine import QuarantineRepository
from ingest.erasure.participant import IngestParticipant
from ingest.forwarding.forwarder import Forwarder
from ingest.forwarding.repository import ForwardingRepository
from ingest.forwarding.sending import TIMEOUT_SECONDS
from ingest.identities.drawn import DrawingAhead
from ingest.identities.repository import IdentityRepository
from ingest.identities.returning import RefusedReturns
from ingest.launches.repository import LaunchRepository
from ingest.merges.repository import MergeRepository, MergeSource
from ingest.republishing.repository import RepublicationRepository
from ingest.republishing.republishing import Republishing
from ingest.settings import AttachmentSettings
from ingest.statements.relaying import StatementSource
from ingest.statements.repository import StatementRepository
from ingest.statements.stamps import LEASE_SECONDS
from ingest.statements.writers import Writers

RELAY_POLL_SECONDS = 0.05
SWEEP_SECONDS = 5.0


def work(c: Connections) -> Worker:
    """Policies, consents and requests in; receipts out; statements on to other Learning Record Stores."""
    worker = Worker(c)
    statements = StatementRepository(c.client, c.db, c.sealer)
    attachments = attachments_of(c)
    handler = worker.take_part(participant(c))
    forwarder = forwarder_of(c)
    forwarder.observe()
    worker.job(forwarder.run)
    http = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False)
    worker.closers.append(http.aclose)
    forwardings, disclosures = ForwardingRepository(c.client, c.db, c.sealer), DisclosureRepository(c.db)
    passing = PassingOn(c.client, disclosures, forwardings, targets(http, attachments), c.clock, handler.receipt)
    worker.job(passing.run)
    worker.job(Sweeping(attachments, statements).run)
    worker.relay(MergeSource())
    worker.job(Turning("merges", MergeRepository(c.db).sweep, rest_seconds=SWEEP_SECONDS).run)
    worker.job(Republishing(RepublicationRepository(c.db), IdentityRepository(c.db, c.sealer)).run)
    if c.keys is not None:
        drawing = DrawingAhead(c.db, c.keys, c.settings.keys.keys_ahead)
        worker.job(drawing.run)
        worker.checks.append(drawing.check)
    return worker


def participant(c: Connections) -> IngestParticipant:
    """Everything here that is a learner's."""
    return IngestParticipant(
        StatementRepository(c.client, c.db, c.sealer),
        IdentityRepository(c.db, c.sealer),
        DocumentRepository(c.db, c.sealer),
        attachments_of(c),
        ForwardingRepository(c.client, c.db, c.sealer),
        LaunchRepository(c.db, c.sealer),
        QuarantineRepository(c.db, c.sealer),
        RepublicationRepository(c.db),
        MergeRepository(c.db),
        Telling(
            DisclosureRepository(c.db),
            ForwardingRepository(c.client, c.db, c.sealer),
            StatementRepository(c.client, c.db, c.sealer),
            IdentityRepository(c.db, c.sealer),
            RefusedReturns(c.db),
            ConsentView(c.db, may_be_old=True),
            c.clock,
        ),
        c.db,
    )


def forwarder_of(c: Connections) -> Forwarder:
    """It writes no statements, and so only asks how far the store is consistent."""
    return Forwarder(
        c.db,
        ForwardingRepository(c.client, c.db, c.sealer),
        StatementRepository(c.client, c.db, c.sealer),
        attachments_of(c),
        ConsentView(c.db),
        DisclosureRepository(c.db),
        Writers(c.db, lease_seconds=LEASE_SECONDS).through,
        c.clock,
    )


def attachments_of(c: Connections) -> AttachmentRepository:
    return AttachmentRepository(c.db, blobs_by(AttachmentSettings(), c.db), c.sealer, c.clock)


def relay(c: Connections) -> Worker:
    """Stored statements out, once for each learner that they are about."""
    worker = Worker(c)
    source = StatementSource(StatementRepository(c.client, c.db, c.sealer))
    worker.relay(source, poll_seconds=RELAY_POLL_SECONDS)
    return worker

"""What runs beside HTTP: the part in privacy's conversation, and the relay, apart so that it can be left out."""

from service_kit.runtime import Connections, Worker

from ingest.documents.repository import DocumentRepository
from ingest.erasure.participant import IngestParticipant
from ingest.identities.repository import IdentityRepository
from ingest.statements.relaying import StatementSource
from ingest.statements.repository import StatementRepository

RELAY_POLL_SECONDS = 0.05


def work(c: Connections) -> Worker:
    """Policies, consents and requests in; receipts out."""
    worker = Worker(c)
    statements = StatementRepository(c.client, c.db, c.sealer)
    worker.take_part(
        IngestParticipant(statements, IdentityRepository(c.db, c.sealer), DocumentRepository(c.db, c.sealer))
    )
    return worker


def relay(c: Connections) -> Worker:
    """Stored statements out, once for each learner that they are about."""
    worker = Worker(c)
    source = StatementSource(StatementRepository(c.client, c.db, c.sealer))
    worker.relay(source, poll_seconds=RELAY_POLL_SECONDS)
    return worker

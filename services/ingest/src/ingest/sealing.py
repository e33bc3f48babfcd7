"""Where ingest keeps what describes a learner, for sealing what lies in the clear from before there were keys.

Launches and the quarantine run out by themselves.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from events.sealing import Owner
from service_kit.keys.migrating import Place, Walk, by_id
from service_kit.mongo import Document
from service_kit.runtime import Connections

from ingest.attachments.migrating import ClearAttachments
from ingest.documents.migrating import DocumentsOfLearners, DocumentsOfTenants
from ingest.documents.repository import DocumentRepository
from ingest.erasure.forgetting import NOBODYS
from ingest.identities.repository import IDENTITIES, LEARNERS, IdentityRepository
from ingest.statements.repository import STATEMENTS, StatementRepository
from ingest.worker import attachments_of


def _of_identity(document: Document) -> Owner | None:
    """Its own bytes say whose it is, while they are in the clear."""
    if document["key"] is not None:
        return None
    return Owner(document["tenant"], orjson.loads(document["bytes"])["learner"])


def _of_statement(document: Document) -> Owner | None:
    """The first whom it is about, the tenant where that is nobody; a place that is only awaited holds nothing."""
    if "learners" not in document:
        return None
    known = [learner for learner in document["learners"] if learner is not None]
    return Owner(document["tenant"], known[0] if known else NOBODYS)


PLACES: Final[Sequence[Place]] = (
    Place(IDENTITIES.name, "names.bytes", "names.key", _of_identity),
    Place(IDENTITIES.name, "bytes", "key", _of_identity),
    Place(LEARNERS.name, "bytes", "key", by_id),
    Place(STATEMENTS.name, "provenance.bytes", "provenance.key", _of_statement),
    Place(STATEMENTS.name, "bytes", "key", _of_statement),
)


def walks(c: Connections) -> Sequence[Walk]:
    """What takes more than to seal a field; after the places, which tell whose things are."""
    statements, identities = StatementRepository(c.client, c.db, c.sealer), IdentityRepository(c.db, c.sealer)
    documents = DocumentRepository(c.db, c.sealer)
    return (
        DocumentsOfLearners(documents, c.sealer),
        DocumentsOfTenants(documents),
        ClearAttachments(attachments_of(c), statements, identities),
    )

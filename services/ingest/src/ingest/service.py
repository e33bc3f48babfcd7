"""What this service is made of."""

from service_kit.privacy import COLLECTIONS
from service_kit.runtime import Service

from ingest import worker
from ingest.activities.repository import ACTIVITIES
from ingest.app import create
from ingest.attachments.blobs import CHUNKS
from ingest.attachments.repository import FILES
from ingest.credentials.repository import CREDENTIALS
from ingest.disclosures.repository import DISCLOSURES, PASSING_ON
from ingest.documents.repository import DOCUMENTS
from ingest.emitters.quarantine import QUARANTINE
from ingest.emitters.watching import TALLIES, WATCHES
from ingest.forwarding.repository import DEAD_LETTERS, FORWARDINGS
from ingest.identities.repository import IDENTITIES, LEARNERS, TENANT_KEYS
from ingest.identities.returning import REFUSED_RETURNS, RETURNING_KEYS
from ingest.imports.repository import IMPORTS
from ingest.launches.repository import LAUNCHES
from ingest.merges.repository import MERGES
from ingest.republishing.repository import REPUBLICATIONS
from ingest.sealing import PLACES, walks
from ingest.statements.repository import STATEMENTS
from ingest.statements.writers import STAMPS

SERVICE = Service(
    name="ingest",
    collections=[
        STATEMENTS,
        STAMPS,
        IDENTITIES,
        LEARNERS,
        MERGES,
        TENANT_KEYS,
        REFUSED_RETURNS,
        RETURNING_KEYS,
        CREDENTIALS,
        LAUNCHES,
        DOCUMENTS,
        FILES,
        CHUNKS,
        ACTIVITIES,
        IMPORTS,
        FORWARDINGS,
        DEAD_LETTERS,
        DISCLOSURES,
        PASSING_ON,
        QUARANTINE,
        REPUBLICATIONS,
        WATCHES,
        TALLIES,
        *COLLECTIONS,
    ],
    app=create,
    workers={"work": worker.work, "relay": worker.relay},
    sealed=PLACES,
    walks=walks,
)

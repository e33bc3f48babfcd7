"""What this service is made of."""

from service_kit import consent
from service_kit.runtime import Service

from ingest import worker
from ingest.activities.repository import ACTIVITIES
from ingest.app import create
from ingest.credentials.repository import CREDENTIALS
from ingest.documents.repository import DOCUMENTS
from ingest.identities.repository import IDENTITIES, LEARNERS, TENANT_KEYS
from ingest.statements.repository import STATEMENTS

SERVICE = Service(
    name="ingest",
    collections=[
        STATEMENTS,
        IDENTITIES,
        LEARNERS,
        TENANT_KEYS,
        CREDENTIALS,
        DOCUMENTS,
        ACTIVITIES,
        *consent.COLLECTIONS,
    ],
    app=create,
    workers={"work": worker.work, "relay": worker.relay},
)

"""What this service is made of."""

from service_kit import consent
from service_kit.runtime import Service

from ingest import worker
from ingest.app import create
from ingest.credentials.repository import CREDENTIALS
from ingest.identities.repository import IDENTITIES, LEARNERS, TENANT_KEYS
from ingest.statements.repository import STATEMENTS

SERVICE = Service(
    name="ingest",
    collections=[STATEMENTS, IDENTITIES, LEARNERS, TENANT_KEYS, CREDENTIALS, *consent.COLLECTIONS],
    app=create,
    workers={"work": worker.work, "relay": worker.relay},
)

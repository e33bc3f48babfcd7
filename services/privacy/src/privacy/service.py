"""The service as the runtime sees it."""

from service_kit.merging import STANDINGS
from service_kit.runtime import Service

from privacy import app, signing, worker
from privacy.access.repository import ARCHIVES, CHUNKS
from privacy.audit import repository as audit
from privacy.certificates.repository import CERTIFICATES
from privacy.closing.repository import CLOSINGS
from privacy.consents.repository import CONSENTS, HISTORY
from privacy.guardians.repository import GUARDIANS
from privacy.keys import repository as keys
from privacy.keys.directory import OwnDirectory
from privacy.policies.repository import POLICIES, VERSIONS
from privacy.requests.repository import REQUESTS
from privacy.retention import repository as retention

SERVICE = Service(
    name="privacy",
    collections=[
        POLICIES,
        VERSIONS,
        CONSENTS,
        HISTORY,
        GUARDIANS,
        REQUESTS,
        CERTIFICATES,
        CLOSINGS,
        STANDINGS,
        ARCHIVES,
        CHUNKS,
        *retention.COLLECTIONS,
        *audit.COLLECTIONS,
        signing.KEYS,
        *keys.COLLECTIONS,
    ],
    app=app.create,
    workers={"work": worker.worker},
    directory=OwnDirectory.of,
)

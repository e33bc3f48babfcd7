"""The service as the runtime sees it."""

from service_kit.runtime import Service

from privacy import app, worker
from privacy.consents.repository import CONSENTS, HISTORY
from privacy.policies.repository import POLICIES
from privacy.requests.repository import REQUESTS

SERVICE = Service(
    name="privacy",
    collections=[POLICIES, CONSENTS, HISTORY, REQUESTS],
    app=app.create,
    workers={"work": worker.worker},
)

"""What the runtime needs to know of this service."""

from service_kit.keys.migrating import Place, by_id
from service_kit.privacy import COLLECTIONS
from service_kit.runtime import Service

from recommendation.app import NAME, create
from recommendation.catalog.repository import ACTIVITIES, CATALOGS
from recommendation.frameworks.repository import COMPETENCIES
from recommendation.learners.repository import LEARNERS
from recommendation.worker import worker

SERVICE = Service(
    NAME,
    collections=[ACTIVITIES, CATALOGS, COMPETENCIES, LEARNERS, *COLLECTIONS],
    app=create,
    workers={"work": worker},
    sealed=[
        Place(LEARNERS.name, "state.data", "state.key", by_id),
        Place(LEARNERS.name, "said.data", "said.key", by_id),
    ],
)

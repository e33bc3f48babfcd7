"""What the runtime needs to know of this service."""

from service_kit.frameworks import COMPETENCIES
from service_kit.keys.migrating import Place, by_fields, by_id
from service_kit.privacy import COLLECTIONS
from service_kit.runtime import Service

from learner_profile.activities.repository import ACTIVITIES
from learner_profile.app import NAME, create
from learner_profile.estimates.repository import ESTIMATES
from learner_profile.evidence.repository import EVIDENCE
from learner_profile.learners.repository import LEARNERS
from learner_profile.parameters.repository import PARAMETERS
from learner_profile.records.repository import CLAIMS
from learner_profile.retention.bases import BASES
from learner_profile.roles.repository import ROLES, RULES
from learner_profile.worker import train, work

SERVICE = Service(
    NAME,
    collections=[
        EVIDENCE,
        LEARNERS,
        ESTIMATES,
        BASES,
        ACTIVITIES,
        COMPETENCIES,
        ROLES,
        RULES,
        CLAIMS,
        PARAMETERS,
        *COLLECTIONS,
    ],
    app=create,
    workers={"work": work, "train": train},
    sealed=[
        Place(LEARNERS.name, "data", "key", by_id),
        Place(ESTIMATES.name, "data", "key", by_fields),
        Place(BASES.name, "data", "key", by_id),
        Place(EVIDENCE.name, "data", "key", by_fields),
    ],
)

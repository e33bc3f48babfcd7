"""What this service is made of."""

from service_kit.frameworks import COMPETENCIES
from service_kit.keys.migrating import Place, by_fields
from service_kit.privacy import COLLECTIONS
from service_kit.runtime import Service

from insights.app import create
from insights.rosters.repository import MEMBERS, ROSTERS
from insights.rosters.roles import ROLES
from insights.states.repository import STATES
from insights.worker import worker

SERVICE = Service(
    name="insights",
    collections=[ROSTERS, MEMBERS, ROLES, STATES, COMPETENCIES, *COLLECTIONS],
    app=create,
    workers={"work": worker},
    sealed=[
        Place(MEMBERS.name, "name.data", "name.key", by_fields),
        Place(STATES.name, "sealed.data", "sealed.key", by_fields),
    ],
)

"""What this service is made of."""

from service_kit import consent
from service_kit.runtime import Service

from insights.app import create
from insights.rosters.repository import MEMBERS, ROSTERS
from insights.rosters.roles import ROLES
from insights.states.repository import STATES
from insights.worker import worker

SERVICE = Service(
    name="insights",
    collections=[ROSTERS, MEMBERS, ROLES, STATES, *consent.COLLECTIONS],
    app=create,
    workers={"work": worker},
)

"""Which topics, which handlers."""

from events import topics
from service_kit.consent import ConsentView
from service_kit.frameworks import CompetenciesHandler, FrameworkRepository
from service_kit.runtime import GATHER_MS, Connections, Worker

from insights.rosters.repository import RosterRepository
from insights.rosters.roles import Announcer, RoleRepository, RoleSource
from insights.states.handlers import ProfileHandler
from insights.states.participation import Participation
from insights.states.repository import StateRepository


def worker(c: Connections) -> Worker:
    w = Worker(c)
    states = StateRepository(c.db, c.sealer)
    rosters, roles = RosterRepository(c.db, c.sealer), RoleRepository(c.db, c.clock)
    w.take_part(Participation(rosters, states, roles))
    relay = w.relay(RoleSource())
    announcer = Announcer(c.client, rosters, roles, relay.wake)
    w.job(announcer.run)
    w.checks.append(announcer.check)
    w.consume("profiles", [topics.PROFILES], ProfileHandler(states, ConsentView(c.db)), gather_ms=GATHER_MS)
    w.consume("competencies", [topics.COMPETENCIES], CompetenciesHandler(FrameworkRepository(c.db)))
    return w

"""Which topics, which handlers."""

from events import topics
from service_kit.consent import ConsentView
from service_kit.runtime import GATHER_MS, Connections, Worker

from insights.rosters.repository import RosterRepository
from insights.states.handlers import ProfileHandler
from insights.states.participation import Participation
from insights.states.repository import StateRepository


def worker(c: Connections) -> Worker:
    w = Worker(c)
    states = StateRepository(c.db, c.sealer)
    w.take_part(Participation(RosterRepository(c.db, c.sealer), states))
    w.consume("profiles", [topics.PROFILES], ProfileHandler(states, ConsentView(c.db)), gather_ms=GATHER_MS)
    return w

"""Which topics, which handlers."""

from typing import Final

from events import topics
from service_kit.consent import ConsentView
from service_kit.runtime import GATHER_MS, Connections, Worker

from recommendation.catalog.outbox import ActivitySource
from recommendation.frameworks.outbox import CompetencySource
from recommendation.learners.handlers import ProfileHandler
from recommendation.learners.participant import LearnerParticipant
from recommendation.learners.repository import LearnerRepository

# Small batches: a learner waits for what the last statement changed.
BATCH: Final = 200


def worker(c: Connections) -> Worker:
    """Profiles in, the catalog out, and the part in privacy."""
    learners = LearnerRepository(c.db, c.sealer)
    w = Worker(c)
    w.take_part(LearnerParticipant(learners))
    w.consume(
        "profiles",
        [topics.PROFILES],
        ProfileHandler(learners, ConsentView(c.db)),
        max_records=BATCH,
        gather_ms=GATHER_MS,
    )
    w.relay(ActivitySource())
    w.relay(CompetencySource())
    return w

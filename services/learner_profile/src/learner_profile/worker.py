"""What runs beside HTTP: statements and catalog in, profiles out, rebuilding, the part in privacy's conversation."""

from collections.abc import Callable
from functools import partial
from typing import Final

from events import topics
from service_kit.consent import ConsentView
from service_kit.frameworks import CompetenciesHandler, FrameworkRepository
from service_kit.leases import Leases
from service_kit.merging import Merges
from service_kit.outbox import SHARDS
from service_kit.runtime import GATHER_MS, Connections, Worker

from learner_profile.activities.handlers import CatalogHandler
from learner_profile.activities.remapping import Remapper
from learner_profile.activities.repository import ActivityRepository
from learner_profile.estimates.repository import EstimateRepository
from learner_profile.evidence.handlers import StatementsHandler
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.learners.privacy import ProfileParticipant
from learner_profile.learners.publishing import RELAY_POLL_SECONDS, ProfileSource
from learner_profile.learners.rebuilding import Rebuilder, Views, build
from learner_profile.learners.repository import LearnerRepository
from learner_profile.parameters.handlers import ParametersHandler
from learner_profile.parameters.publishing import ParametersSource
from learner_profile.parameters.repository import ParametersRepository
from learner_profile.parameters.shelf import Shelf
from learner_profile.parameters.training import Training
from learner_profile.records.repository import ClaimRepository
from learner_profile.retention.bases import BaseRepository
from learner_profile.retention.repository import RetainedEvidence
from learner_profile.retention.retaining import Retention
from learner_profile.roles.handlers import RolesHandler
from learner_profile.roles.repository import RoleRepository, RuleRepository
from learner_profile.roles.ruling import Ruling
from learner_profile.settings import EvidenceSettings, TrainingSettings

AT_ONCE: Final = 1000
"""Statements in a transaction, where so many wait: half a second to a second."""


def views(c: Connections) -> Views:
    return Views(
        EvidenceRepository(c.db, c.sealer),
        LearnerRepository(c.db, c.sealer, c.clock),
        ActivityRepository(c.db),
        ConsentView(c.db),
        RoleRepository(c.db),
        EstimateRepository(c.db, c.sealer),
        Merges(c.db),
        BaseRepository(c.db, c.sealer, c.clock),
        Shelf(ParametersRepository(c.db)),
    )


def participant(c: Connections, v: Views, wake: Callable[[], None] = lambda: None) -> ProfileParticipant:
    """Everything here that is a learner's; `wake` has learners built anew at once."""
    claims, rules = ClaimRepository(c.db, c.sealer, c.clock), RuleRepository(c.db)
    retention = Retention(v, RetainedEvidence(c.db, c.sealer), wake)
    return ProfileParticipant(
        v.evidence, v.learners, v.roles, v.estimates, claims, v.merges, rules, v.bases, retention, partial(build, v)
    )


def work(c: Connections) -> Worker:
    """Everything but training."""
    worker = Worker(c)
    v = views(c)
    relay = worker.relay(ProfileSource(v.learners), poll_seconds=RELAY_POLL_SECONDS)
    rebuilder = Rebuilder(c.client, v, Leases(c.db, "rebuild", SHARDS), relay.wake)
    remapper = Remapper(v.activities, v.evidence, v.learners, v.merges, c.clock)
    statements = StatementsHandler(v, c.clock, EvidenceSettings(), wakes=(relay.wake, rebuilder.wake))
    worker.consume(
        "statements",
        [topics.STATEMENTS],
        statements,
        max_records=AT_ONCE,
        gather_ms=GATHER_MS,
        alone=relay.clearing,
    )
    worker.consume("catalog", [topics.ACTIVITIES], CatalogHandler(v.activities, remapper, c.clock))
    worker.consume("competencies", [topics.COMPETENCIES], CompetenciesHandler(FrameworkRepository(c.db)))
    worker.consume("roles", [topics.ROLES], RolesHandler(v))
    worker.consume("parameters", [topics.PARAMETERS], ParametersHandler(ParametersRepository(c.db)))
    worker.take_part(participant(c, v, rebuilder.wake))
    worker.job(rebuilder.run)
    worker.job(v.shelf.run)
    worker.job(remapper.run)
    ruling = Ruling(c.client, RuleRepository(c.db), v.learners)
    worker.job(ruling.run)
    worker.checks += [rebuilder.check, remapper.check, ruling.check]
    return worker


def train(c: Connections) -> Worker:
    """The trainer. Replicas may stand by; one at a time trains."""
    worker = Worker(c)
    parameters = ParametersRepository(c.db)
    relay = worker.relay(ParametersSource(), poll_seconds=1.0)
    training = Training(
        c.client, views(c), parameters, Leases(c.db, "train", 1), c.clock, TrainingSettings(), relay.wake
    )
    worker.job(training.run)
    worker.checks.append(training.check)
    return worker

"""A hundred thousand learners with a history each, and what they do next, as Kafka carries it.

Everything is made with the services' own code and keys; only what ingest does is left out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

from events import topics
from events.envelope import Outgoing
from events.payloads import CatalogActivity
from events.publisher import Publisher
from learner_model import Evidence, EvidenceKind, Folded
from learner_model.additive.kernel import machine as machine_code
from learner_model.coding import Names
from learner_model.folder import Folder
from learner_model.folding import Habits
from learner_profile.activities.repository import ActivityRepository
from learner_profile.learners.profiles import Profile
from learner_profile.learners.repository import LearnerRepository
from service_kit.keys.directory import WrappedKey
from service_kit.mongo import in_transaction
from service_kit.runtime import Connections
from xapi.identifiers import canonical_ifi
from xapi.pseudonymise import for_learner

from tests.load import sample

HISTORIES: Final = 50
"""Different ones, each with 20 competencies, all the items that a memory holds, and 128 things done."""

_LENGTH: Final = 300
_COMPETENCIES: Final = 20
_BEGUN: Final = datetime(2025, 9, 1, 8, tzinfo=UTC)
_AT_ONCE: Final = 500


def competency(number: int) -> str:
    return f"https://school.example/items/{number:08d}-1111-4111-8111-000000000000"


def catalog() -> list[CatalogActivity]:
    """The activities of `sample`, each for two competencies."""
    return [
        CatalogActivity(
            id=sample.activity(number),
            title=f"Quiz {number}",
            competencies=[competency(number % _COMPETENCIES), competency(number * 7 % _COMPETENCIES)],
            duration="PT10M",
            tags=[f"subject-{number % 12}", f"topic-{number % 40}"],
        )
        for number in range(sample.ACTIVITIES)
    ]


def history(seed: int) -> Folded:
    """What half a year of a learner's answers leaves."""
    chance, at, rows = random.Random(seed), _BEGUN, list[Evidence]()
    for _ in range(_LENGTH):
        at += timedelta(minutes=chance.randrange(1, 1500))
        quiz = chance.randrange(sample.ACTIVITIES)
        rows.append(
            Evidence(
                statement_id=str(uuid4()),
                at=at,
                stored=at,
                activity_id=sample.activity(quiz),
                verb_id="http://adlnet.gov/expapi/verbs/answered",
                kind=EvidenceKind.RESPONSE,
                competencies=((competency(quiz % _COMPETENCIES), 1.0), (competency(quiz * 7 % _COMPETENCIES), 1.0)),
                correctness=chance.random(),
                completion=True,
                duration_seconds=float(chance.randrange(5, 900)),
                tags=(f"subject-{quiz % 12}", f"topic-{quiz % 40}"),
            )
        )
    return Folder(kernel=machine_code()).fold(None, rows)


def mixed(folded: Folded, seed: int) -> Folded:
    """The same with its competencies in another order: no two learners met them alike."""
    names = Names()
    for name in random.Random(seed).sample(folded.names, len(folded.names)):
        names.add(name)
    return Habits.of(folded).packed(names, folded.memory)


async def settle(c: Connections, tenant: str, keys: Sequence[WrappedKey]) -> None:
    """Make these learners known to learner_profile: keys, histories, and the catalog of what they do."""
    assert c.keys is not None
    learners, activities = LearnerRepository(c.db, c.sealer, c.clock), ActivityRepository(c.db)
    histories = [history(seed) for seed in range(HISTORIES)]
    changes = [(one.id, one, False) for one in catalog()]
    await in_transaction(c.client, lambda session: activities.put(tenant, changes, c.clock(), session))
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        await c.keys.held.put(part)
        found = [mixed(histories[(start + place) % HISTORIES], start + place) for place in range(len(part))]
        profiles = [
            Profile(tenant=tenant, learner=key.owner.learner, version=1, folded=folded)
            for key, folded in zip(part, found, strict=True)
        ]
        await in_transaction(c.client, partial(learners.save, profiles, publish=False))


async def act(c: Connections, tenant: str, learners: Sequence[str], count: int, *, run: int, seed: int) -> None:
    """Put `count` statements on Kafka: each learner that chance picks does `run` things in a row."""
    async with Publisher(c.kafka, c.sealer) as publisher:
        part: list[Outgoing] = []
        for learner, statement in _acts(learners, count, run, seed):
            part.append(Outgoing(topics.STATEMENTS, str(uuid4()), tenant, learner, c.clock(), statement))
            if len(part) == _AT_ONCE:
                await publisher.publish(part)
                part = []
        await publisher.publish(part)


def _acts(learners: Sequence[str], count: int, run: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    chance, statements, now = random.Random(seed), sample.statements(seed), datetime.now(UTC)
    for number in range(count):
        if number % run == 0:
            learner = chance.choice(learners)
        statement = next(statements)
        at = (now + timedelta(milliseconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        own = frozenset({str(canonical_ifi(statement["actor"]))})
        authority = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/credentials", "name": "k"}}
        whole = statement | {"timestamp": at, "stored": at, "version": "1.0.3", "authority": authority}
        yield learner, for_learner(whole, own)

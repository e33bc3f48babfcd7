"""Every topic: its owner, its key, its payload. `contracts/asyncapi.yaml` is generated from this registry."""

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from events import payloads

PARTITIONS: Final = 12  # unless TRELLIS_TOPIC_PARTITIONS says otherwise; another number later is a new topic version


@dataclass(frozen=True)
class Topic:
    """A topic. `key` says what the record key is made of; `retention_days` is ignored where compacted.

    `sealed`: each message under the key of the learner in its record key, unless it says otherwise.
    """

    name: str
    owner: str
    key: str
    payload: type[BaseModel]
    consumers: tuple[str, ...]
    summary: str
    compacted: bool = False
    retention_days: int = 7
    sealed: bool = False

    @property
    def message_type(self) -> str:
        """The envelope's `type`: the topic's name."""
        return self.name

    @property
    def dead_letters(self) -> str:
        return f"{self.name}.dlq"


STATEMENTS = Topic(
    "xapi.statements.v1",
    "ingest",
    "tenant/learner",
    payloads.Statement,
    ("learner_profile",),
    "A stored statement, pseudonymised; once for each identified learner it is about.",
    sealed=True,
)
PROFILES = Topic(
    "learner.profiles.v1",
    "learner_profile",
    "tenant/learner",
    payloads.LearnerProfile,
    ("recommendation", "insights"),
    "A learner's state after a change. Without a value: the learner is forgotten.",
    compacted=True,
    sealed=True,
)
PARAMETERS = Topic(
    "model.parameters.v1",
    "learner_profile",
    "tenant/version/since/part",
    payloads.ModelParameters,
    ("learner_profile",),
    "A part of a version of the learner model's parameters. Without a value: no evidence needs the version any more.",
    compacted=True,
)
ACTIVITIES = Topic(
    "catalog.activities.v1",
    "recommendation",
    "tenant/activity",
    payloads.CatalogActivity,
    ("learner_profile", "insights"),
    "An activity of the catalog with the competencies it serves.",
    compacted=True,
)
COMPETENCIES = Topic(
    "catalog.competencies.v1",
    "recommendation",
    "tenant/competency",
    payloads.CatalogCompetency,
    ("learner_profile", "insights"),
    "A competency of a framework with its parents. Without a value: its framework no longer has it.",
    compacted=True,
)
ROLES = Topic(
    "rosters.roles.v1",
    "insights",
    "tenant/learner",
    payloads.RosterRole,
    ("learner_profile",),
    "What the roster says of a person: learner, teacher, and where. Without a value: it no longer names the person.",
    compacted=True,
)
MERGES = Topic(
    "identities.merges.v1",
    "ingest",
    "tenant/learner",
    payloads.IdentityMerge,
    ("learner_profile", "recommendation", "privacy", "insights"),
    "Two learners are one person, or no longer. Without a value: the learner is forgotten.",
    compacted=True,
    sealed=True,
)
POLICIES = Topic(
    "privacy.policies.v1",
    "privacy",
    "tenant",
    payloads.Policy,
    ("ingest", "learner_profile", "recommendation", "insights"),
    "A tenant's policy: the lawful basis of each purpose.",
    compacted=True,
)
CONSENTS = Topic(
    "privacy.consents.v1",
    "privacy",
    "tenant/learner",
    payloads.ConsentState,
    ("ingest", "learner_profile", "recommendation", "insights"),
    "A learner's decisions on all purposes. Without a value: the learner's key is destroyed.",
    compacted=True,
    sealed=True,
)
REQUESTS = Topic(
    "privacy.requests.v1",
    "privacy",
    "tenant/learner",
    payloads.Request,
    ("ingest", "learner_profile", "recommendation", "insights"),
    "A data subject's request to carry out; or, under the tenant alone, a portion of a retention rule's run.",
    sealed=True,
)
RECEIPTS = Topic(
    "privacy.receipts.v1",
    "every service",
    "tenant/learner",
    payloads.Receipt,
    ("privacy",),
    "A service has carried out a decision, a request, or a portion of a retention rule's run.",
)
AUDIT = Topic(
    "privacy.audit.v1",
    "all services",
    "tenant",
    payloads.Audited,
    ("privacy",),
    "Who saw, changed, exported, erased or looked up what; the privacy service chains it.",
    retention_days=30,
)

ALL: Final = (
    STATEMENTS,
    PROFILES,
    PARAMETERS,
    ACTIVITIES,
    COMPETENCIES,
    ROLES,
    MERGES,
    POLICIES,
    CONSENTS,
    REQUESTS,
    RECEIPTS,
    AUDIT,
)


def of_service(service: str) -> list[Topic]:
    """The topics whose creation is that service's: its own, and for privacy those of the conversation that it leads,
    whoever writes them: without them no service begins.
    """
    shared = (RECEIPTS, AUDIT, MERGES)
    return [topic for topic in ALL if service == ("privacy" if topic in shared else topic.owner)]

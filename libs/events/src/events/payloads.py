"""What the messages carry. One model a topic; `contracts/events/` is generated from these."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from learner_model import LearnerState
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
PURPOSES = ("record", "profile", "recommend", "teach", "insights", "research")


class Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Statement(RootModel[dict[str, JsonValue]]):
    """A valid xAPI statement without identifiers, names, responses or attachments (`xapi.pseudonymise`)."""

    model_config = ConfigDict(frozen=True)


class ProfileStatus(StrEnum):
    open = "open"
    closed = "closed"  # the purpose `profile` is stopped: no state travels


class LearnerProfile(Payload):
    """A learner's state. `reflects` is the statement with the greatest (`stored`, id) folded into it."""

    version: int = Field(ge=1, description="rises with every change of this learner")
    status: ProfileStatus = ProfileStatus.open
    reflects: str | None = None
    statements: int = Field(0, ge=0, description="statements folded, voided ones not counted")
    last_statement_at: datetime | None = None
    titles: dict[str, str] = Field(default_factory=dict, description="provisional competency → title")
    state: LearnerState | None = None


class CatalogActivity(Payload):
    """An activity of the catalog: what can be learned next."""

    id: str = Field(min_length=1, max_length=2048, description="IRI of the activity, as its statements name it")
    title: str
    type: str | None = None
    competencies: list[str] = Field(default_factory=list)
    prerequisites: list[str] = Field(default_factory=list)
    difficulty: float | None = Field(None, ge=0, le=1)
    duration: str | None = Field(None, description="ISO 8601 duration")
    language: str | None = None
    modality: str | None = None
    bandwidth: str | None = None
    core: bool = True
    tags: list[str] = Field(default_factory=list)


class Basis(StrEnum):
    """Lawful bases, GDPR 6(1)."""

    consent = "consent"
    contract = "contract"
    legal_obligation = "legal_obligation"
    public_task = "public_task"
    legitimate_interest = "legitimate_interest"


class Unknown(StrEnum):
    """What holds for a learner of whom no decision is known."""

    allowed = "allowed"
    denied = "denied"


class PurposePolicy(Payload):
    basis: Basis
    unknown: Unknown


class Policy(Payload):
    """A tenant's policy: for each purpose the lawful basis and what holds where nothing is known."""

    version: int = Field(ge=1)
    purposes: dict[Purpose, PurposePolicy]
    not_recorded: Literal["accept", "refuse"] = "accept"
    pack: str = Field("open", description="whose rules hold: eu-school, us-k12, open (`privacy.packs`)")


class ConsentStatus(StrEnum):
    granted = "granted"
    withdrawn = "withdrawn"
    objected = "objected"


class Decision(Payload):
    status: ConsentStatus
    since: datetime


class ConsentState(Payload):
    """All decisions of one learner. Receivers ignore a version not above the one they hold."""

    version: int = Field(ge=1)
    purposes: dict[Purpose, Decision] = Field(default_factory=dict)
    erased: bool = False


class Request(Payload):
    """A data subject's request that every service carries out and answers with a receipt."""

    request_id: str
    type: Literal["erasure"]


class Receipt(Payload):
    """A service's word that it has carried something out."""

    service: str
    kind: Literal["consent", "erasure"]
    request_id: str | None = None
    version: int | None = Field(None, description="consent: the version that now holds in that service")
    counts: dict[str, int] = Field(default_factory=dict, description="erasure: documents removed, by collection")
    completed_at: datetime


class AuditAction(StrEnum):
    saw = "saw"
    changed = "changed"
    exported = "exported"
    erased = "erased"
    looked_up = "looked_up"  # an identity: which person an identifier belongs to, or the other way round


class AuditSubject(Payload):
    """A learner, sealed under the own key: base64 of `{"learner": learner_id}`, in the clear where `key` is null."""

    key: str | None = None
    data: str


class Audited(Payload):
    """What someone did. `by` is a pseudonym of the caller (`self`: the learner); the learners are sealed."""

    service: str
    action: AuditAction
    what: str = Field(max_length=200, description="a kind of thing: `profile`, `consents/teach`")
    ground: str = Field("", max_length=200, description="a purpose of the policy, or an article")
    roles: list[str]
    by: str
    subjects: list[AuditSubject] = Field(default_factory=list)
    count: int | None = Field(None, ge=0, description="how many things were concerned")
    at: datetime
    trace_id: str | None = None

"""What the messages carry. One model a topic; `contracts/events/` is generated from these."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from learner_model import LearnerState
from pydantic import BaseModel, ConfigDict, Field, RootModel

Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Threshold = Annotated[float, Field(ge=0.5, le=0.99)]
"""A probability of a right response; less would be guessing, and more is nobody's."""
MAIL_DOMAIN = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
PURPOSES = ("record", "profile", "recommend", "teach", "insights", "research")


class Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Statement(RootModel[dict[str, Any]]):
    """A valid xAPI statement without identifiers, names, responses or attachments (`xapi.pseudonymise`)."""

    model_config = ConfigDict(frozen=True)


class ProfileStatus(StrEnum):
    open = "open"
    closed = "closed"  # the purpose `profile` is stopped: no state travels


class TeacherEstimate(Payload):
    """What a teacher says of a competency in the place of the model's figure (`learner_model.overruling`)."""

    probability: float = Field(ge=0, le=1)
    at: datetime
    evidence_count: int = Field(ge=0, description="responses on the competency when it was said")


class LearnerProfile(Payload):
    """A learner's state. `reflects` is the statement with the greatest (`stored`, id) folded into it."""

    version: int = Field(ge=1, description="rises with every change of this learner")
    status: ProfileStatus = ProfileStatus.open
    reflects: str | None = None
    statements: int = Field(0, ge=0, description="statements folded, voided ones not counted")
    last_statement_at: datetime | None = None
    last_stored_at: datetime | None = Field(
        None, description="when `reflects` was stored; retention rules count from it"
    )
    titles: dict[str, str] = Field(default_factory=dict, description="provisional competency → title")
    estimates: dict[str, TeacherEstimate] = Field(
        default_factory=dict,
        description="competency → what a teacher says of it; whether it still holds the reader reckons",
    )
    state: LearnerState | None = None


class ModelParameters(Payload):
    """A part of a version of what is common to learners: weights by place, as `learner_model` encodes them, in base64.

    It folds what is stored from `since` on. It says nothing of a single learner.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    version: str = Field(pattern=r"^[0-9a-f]{16}$", description="a hash of all that decides a fold")
    since: datetime
    answers: int = Field(ge=0, description="of how many answers it was made")
    part: int = Field(ge=0)
    parts: int = Field(ge=1, le=1000)
    weights: bytes


class CatalogActivity(Payload):
    """An activity of the catalog: what can be learned next."""

    id: str = Field(min_length=1, max_length=2048, description="IRI of the activity, as its statements name it")
    title: str
    type: str | None = None
    competencies: list[str] = Field(default_factory=list)
    weights: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        default_factory=dict, description="competency → how much the activity is about it; 1 where it is not named here"
    )
    prerequisites: list[str] = Field(default_factory=list)
    difficulty: float | None = Field(None, ge=0, le=1)
    duration: str | None = Field(None, description="ISO 8601 duration")
    language: str | None = None
    modality: str | None = None
    bandwidth: str | None = None
    core: bool = True
    tags: list[str] = Field(default_factory=list)


class CatalogCompetency(Payload):
    """A competency of a framework and its place in it."""

    id: str = Field(min_length=1, max_length=2048, description="IRI of the competency, as activities name it")
    title: str
    framework: str = Field(description="IRI of the framework, which stands above its competencies as one itself")
    code: str | None = Field(None, description="what people call it, such as 5.NBT.1")
    parents: list[str] = Field(default_factory=list, description="competencies of which it is a part")
    prerequisites: list[str] = Field(default_factory=list, description="competencies that come before it")
    mastery_threshold: Threshold | None = Field(
        None,
        description="the probability of a right response from which on it counts as mastered; of a framework: all its "
        "competencies without one of their own; null: the framework's, else 0.8",
    )


class RosterRole(Payload):
    """What a roster says of a person. Of someone whom no roster names, nothing is sent: they count as a learner."""

    roles: list[Literal["learner", "teacher"]]
    learns_in: list[str] = Field(default_factory=list, description="scopes of the own places, and of those above them")
    teaches_in: list[str] = Field(default_factory=list, description="scopes of the places where the person teaches")

    @property
    def learns(self) -> bool:
        return "learner" in self.roles

    def teaches(self, learner: "RosterRole") -> bool:
        """Whether the learner is in one of the places where this person teaches."""
        return not set(self.teaches_in).isdisjoint(learner.learns_in)


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


Words = Annotated[str, Field(min_length=1, max_length=500)]
Duration = Annotated[str, Field(pattern=r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?)?$", max_length=40)]


class Notice(Payload):
    """What learners are told of a purpose. A new version may ask again whoever consented to an older one."""

    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    language: str = Field("en", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="BCP 47")
    url: Words | None = None
    ask_again: bool = False


class Recipient(Payload):
    """Who receives data for a purpose (GDPR 4(9)). `third_party`: one who decides alone what is done with them."""

    name: Words
    contact: Words | None = None
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1")
    third_party: bool = False


class Controller(Payload):
    """Who decides why and how data are processed (GDPR 4(7))."""

    name: Words
    contact: Words | None = Field(None, description="mail address or telephone of whoever answers for privacy")
    address: Words | None = None
    kind: Words = "school"
    officer: Words | None = Field(None, description="contact of the data protection officer")
    public_authority: bool = False


class PurposePolicy(Payload):
    """`retention` as an ISO 8601 duration; `offered_to_child`: an online service offered directly to a child (GDPR 8);
    `disclosure`: the purpose is to pass data on, and nothing else.
    """

    basis: Basis
    unknown: Unknown
    description: str = Field("", max_length=2000)
    notice: Notice = Notice()
    recipients: tuple[Recipient, ...] = Field((), max_length=100)
    personal_data: tuple[Words, ...] = Field((), max_length=100)
    retention: Duration | None = None
    offered_to_child: bool = False
    disclosure: bool = False


class Staff(Payload):
    """Whose identifiers are staff's: accounts at a home page, addresses in a mail domain. Compared whole, without
    regard to capitals.
    """

    home_pages: tuple[Annotated[str, Field(min_length=1, max_length=2048)], ...] = Field((), max_length=100)
    mail_domains: tuple[Annotated[str, Field(pattern=MAIL_DOMAIN, max_length=253)], ...] = Field((), max_length=100)

    @property
    def named(self) -> bool:
        """Whether the lists name anyone."""
        return bool(self.home_pages or self.mail_domains)


class Policy(Payload):
    """A tenant's policy: for each purpose the lawful basis and what holds where nothing is known."""

    version: int = Field(ge=1)
    purposes: dict[Purpose, PurposePolicy]
    not_recorded: Literal["accept", "refuse"] = "accept"
    pack: str = Field("open", description="whose rules hold: eu-school, us-k12, open (`privacy.packs`)")
    controller: Controller | None = None
    jurisdiction: Words | None = None
    storage_location: Words | None = None
    consent_age: int | None = Field(None, ge=0, le=21, description="below it a guardian consents, as the pack says")
    returning: Literal["new", "refuse"] = Field("new", description="whoever was erased and comes back")
    returning_days: int = Field(365, ge=1, le=3650, description="refuse: for how long")
    unknown_actors: Literal["learner", "nobody"] = Field(
        "learner", description="nobody: whom no roster calls a learner has no profile"
    )
    staff: Staff = Field(Staff(), description="whom no roster names and who acts by such identifiers is no learner")

    def enforced(self) -> "Policy":
        """The part that decides what may be done; what is told to people left out."""
        purposes = {
            name: PurposePolicy(
                basis=p.basis,
                unknown=p.unknown,
                notice=Notice(version=p.notice.version, ask_again=p.notice.ask_again),
            )
            for name, p in self.purposes.items()
        }
        return Policy(
            version=self.version,
            purposes=purposes,
            not_recorded=self.not_recorded,
            pack=self.pack,
            returning=self.returning,
            returning_days=self.returning_days,
            unknown_actors=self.unknown_actors,
            staff=self.staff,
        )


class ConsentStatus(StrEnum):
    granted = "granted"
    withdrawn = "withdrawn"
    objected = "objected"


class Decision(Payload):
    status: ConsentStatus
    since: datetime
    notice: str | None = Field(None, description="version of the notice under which it was taken")


class ConsentState(Payload):
    """All decisions of one learner. Receivers ignore a version not above the one they hold."""

    version: int = Field(ge=1)
    purposes: dict[Purpose, Decision] = Field(default_factory=dict)
    erased: bool = False
    rebuild: dict[Purpose, int] = Field(
        default_factory=dict, description="purpose → how often it was allowed again: build anew from what is kept"
    )
    restricted: bool = Field(False, description="kept, and nothing else done with it (GDPR 18)")
    held: bool = Field(False, description="under a legal hold, or being inspected: no retention rule touches it")


class RetentionAction(StrEnum):
    """What a retention rule does with the records that it selects."""

    delete = "delete"
    unlink = "unlink"  # nothing in them leads to the learner; they stay pseudonymous data of a person (GDPR 4(5))
    aggregate = "aggregate"  # what they have added up to is kept, and they are deleted


class Selection(Payload):
    """Which records a retention rule takes: those of which all that is said here holds; of a list, any one.

    Times are when a record was stored here. `tags` are activities of the category (1.0.3 Data 2.4.6.2), `activities`
    the object or any activity of the context.
    """

    stored_before: datetime | None = None
    inactive_since: datetime | None = Field(None, description="learners of whom nothing was stored from then on")
    verbs: tuple[str, ...] = ()
    activity_types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()


class RetentionOrder(Payload):
    """A portion of a run of a retention rule: the learners with `first` <= learner_id < `behind` (None: the last ones).

    `preview`: to be counted, and nothing touched.
    """

    portion: int = Field(ge=0)
    services: tuple[str, ...]
    first: str = ""
    behind: str | None = None
    action: RetentionAction
    selection: Selection
    preview: bool = False
    void_outside: bool = Field(False, description="whether targets of forwardings are to void what goes")


class Request(Payload):
    """What every service carries out and answers with a receipt: an erasure, or a portion of a retention rule's run."""

    request_id: str
    type: Literal["erasure", "retention"]
    retention: RetentionOrder | None = None


class IdentityMerge(Payload):
    """Whether the learner in the record key is the same person as another. Receivers ignore a version not above theirs.

    Each message is one edge of a tree: the other may be merged into a third. Without `into` the learner stands alone.
    """

    version: int = Field(ge=1)
    into: str | None = None


class Told(Payload):
    """A recipient outside to whom an erasure is passed on (GDPR 19), and what came of it.

    `notice`: of a retention rule, whose signed notice the controller hands on.
    """

    name: str
    purpose: str
    outcome: Literal["pending", "received", "failed", "notice"] = "pending"
    statements: int = Field(0, ge=0, description="how many statements that recipient was given")
    reason: str | None = Field(None, description="failed: why; it names no one")


class Receipt(Payload):
    """A service's word that it has carried something out."""

    service: str
    kind: Literal["consent", "erasure", "recipients", "retention"]
    request_id: str | None = None
    portion: int | None = Field(None, description="retention: of the run that `request_id` names")
    version: int | None = Field(None, description="consent: the version that now holds in that service")
    counts: dict[str, int] = Field(
        default_factory=dict, description="erasure, retention: documents removed, by collection"
    )
    kept: dict[str, int] = Field(default_factory=dict, description="retention: what was left, by the reason why")
    recipients: list[Told] = Field(default_factory=list, description="to whom it is passed on, or was")
    returning_refused_until: datetime | None = Field(
        None, description="erasure: a keyed hash of the identifiers is kept until then, to refuse who comes back"
    )
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

"""Rules, runs, holds and ends of courses on the wire."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from events.payloads import RetentionAction
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from privacy.requests.progress import Recipient
from privacy.retention.holds import Hold, HoldStatus
from privacy.retention.rules import MOST_COURSES, SERVICES, Rule, Service, ago
from privacy.retention.runs import Run, RunStatus


def _duration(text: str) -> str:
    ago(datetime(2500, 1, 1, tzinfo=UTC), text)
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Iri = Annotated[str, StringConstraints(min_length=3, max_length=2048, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")]
Iris = Annotated[list[Iri], Field(max_length=100)]
Duration = Annotated[str, StringConstraints(max_length=40), AfterValidator(_duration)]


class RuleBody(BaseModel):
    """Which records, what happens to them, and why. Every age that is given must have passed; at least one is.

    `tags`: activities of the category (1.0.3 Data 2.4.6.2). `after_course_end`: of the courses at `/course-ends`.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    reason: Text = Field(description="why, as the report and the record of processing give it")
    action: RetentionAction
    services: Annotated[list[Service], Field(min_length=1, max_length=len(SERVICES))] = list(SERVICES)
    verbs: Iris = []
    activity_types: Iris = []
    tags: Iris = []
    stored_for: Duration | None = Field(None, description="ISO 8601; from when a record was stored here")
    inactive_for: Duration | None = Field(None, description="ISO 8601; since anything of the learner was stored last")
    after_course_end: Duration | None = Field(None, description="ISO 8601")
    active: bool = Field(False, description="whether it runs by itself")
    every_days: float = Field(1, ge=0.01, le=366)
    recipients: Literal["notice", "void"] = Field(
        "notice",
        description="What recipients outside get who have what goes: a signed notice to hand on; `void`: targets of "
        "forwardings are sent voiding statements as well",
    )

    @model_validator(mode="after")
    def _has_an_age(self) -> Self:
        if not (self.stored_for or self.inactive_for or self.after_course_end):
            raise ValueError("a rule has `stored_for`, `inactive_for` or `after_course_end`")
        return self

    def rule(self, rule_id: str, version: int, at: datetime) -> Rule:
        return Rule(
            id=rule_id,
            version=version,
            name=self.name,
            reason=self.reason,
            action=self.action,
            services=tuple(one for one in SERVICES if one in self.services),
            verbs=tuple(self.verbs),
            activity_types=tuple(self.activity_types),
            tags=tuple(self.tags),
            stored_for=self.stored_for,
            inactive_for=self.inactive_for,
            after_course_end=self.after_course_end,
            active=self.active,
            every_days=self.every_days,
            recipients=self.recipients,
            changed_at=at,
        )


class RuleView(BaseModel):
    """A rule, and when it runs next."""

    id: UUID
    version: int
    name: str
    reason: str
    action: RetentionAction
    services: list[Service]
    verbs: list[str]
    activity_types: list[str]
    tags: list[str]
    stored_for: str | None
    inactive_for: str | None
    after_course_end: str | None
    active: bool
    every_days: float
    recipients: str
    purposes: list[str] = Field(description="whose data it takes")
    changed_at: datetime | None
    next_run_at: datetime | None

    @classmethod
    def of(cls, rule: Rule, next_run_at: datetime | None) -> "RuleView":
        return cls(
            id=UUID(rule.id),
            version=rule.version,
            name=rule.name,
            reason=rule.reason,
            action=rule.action,
            services=list(rule.services),
            verbs=list(rule.verbs),
            activity_types=list(rule.activity_types),
            tags=list(rule.tags),
            stored_for=rule.stored_for,
            inactive_for=rule.inactive_for,
            after_course_end=rule.after_course_end,
            active=rule.active,
            every_days=rule.every_days,
            recipients=rule.recipients,
            purposes=list(rule.purposes),
            changed_at=rule.changed_at,
            next_run_at=next_run_at,
        )


class RunBody(BaseModel):
    """`as_of`: the moment from which ages count, not after now; that of a preview takes just what it has counted."""

    model_config = ConfigDict(extra="forbid")

    as_of: AwareDatetime | None = None


class RecipientView(BaseModel):
    """Someone outside who has statements that went. `outcome`: `notice`, to be handed on; of voiding statements
    `pending`, `received`, or `failed`: then `reason` says why, and the notice is to be handed on.
    """

    name: str
    purpose: str
    statements: int
    outcome: str
    reason: str | None

    @classmethod
    def of(cls, one: Recipient) -> "RecipientView":
        return cls(
            name=one.name, purpose=one.purpose, statements=one.statements, outcome=one.outcome, reason=one.reason
        )


class NoticeView(RecipientView):
    """With the signed notice for this recipient alone."""

    notice: str = Field(description="JWS, compact form (RFC 7515), Ed25519")


class Notices(BaseModel):
    items: list[NoticeView]


class RunView(BaseModel):
    """A run of a rule and its report: what went, by service and kind of record, what was left and why.

    Of a preview: what would go. `waits_for`: `hold` where a legal hold on the whole tenant stops it.
    """

    id: UUID
    rule: RuleView = Field(description="as it was when the run began")
    preview: bool
    status: RunStatus
    as_of: datetime
    clauses: list[str]
    counts: dict[str, dict[str, int]]
    kept: dict[str, dict[str, int]]
    recipients: list[RecipientView] = Field(description="outside, who have statements that went (GDPR 19)")
    portions: int
    portions_done: int
    silent: list[str] = Field(description="The services that have not answered yet")
    waits_for: str | None
    escalated_at: datetime | None
    started_by: str
    started_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, run: Run, silent: list[str], waits_for: str | None) -> "RunView":
        return cls(
            id=UUID(run.id),
            rule=RuleView.of(run.rule, None),
            preview=run.preview,
            status=run.status,
            as_of=run.as_of,
            clauses=list(run.clauses),
            counts={service: dict(one) for service, one in run.totals.counts.items()},
            kept={service: dict(one) for service, one in run.totals.kept.items()},
            recipients=[RecipientView.of(one) for one in run.recipients],
            portions=run.portions,
            portions_done=run.done,
            silent=silent,
            waits_for=waits_for,
            escalated_at=run.escalated_at,
            started_by=run.started_by,
            started_at=run.started_at,
            completed_at=run.completed_at,
        )


class HoldBody(BaseModel):
    """`learners`, or `everyone` of the tenant."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    reason: Text
    learners: Annotated[list[UUID], Field(max_length=1000)] = []
    everyone: bool = False

    @model_validator(mode="after")
    def _is_about_someone(self) -> Self:
        if self.everyone == bool(self.learners):
            raise ValueError("a hold names `learners`, or is on `everyone`")
        return self


class HoldView(BaseModel):
    """`status`: `pending` until every service knows of it, `effective`, `released`.

    Whom it is on, and why, the officer alone reads.
    """

    id: UUID
    name: str | None
    reason: str | None
    everyone: bool
    learners: list[UUID]
    count: int
    status: HoldStatus
    set_at: datetime
    released_at: datetime | None

    @classmethod
    def of(cls, hold: Hold, status: HoldStatus, *, whole: bool) -> "HoldView":
        return cls(
            id=UUID(hold.id),
            name=hold.name if whole else None,
            reason=hold.reason if whole else None,
            everyone=hold.everyone,
            learners=[UUID(one) for one in hold.versions] if whole else [],
            count=hold.count,
            status=status,
            set_at=hold.set_at,
            released_at=hold.released_at,
        )


class CourseEnd(BaseModel):
    """`activity`: the course as statements name it, as object or in the context."""

    model_config = ConfigDict(extra="forbid")

    activity: Iri
    ended_on: date


class CourseEnds(BaseModel):
    """All of the tenant's."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[CourseEnd], Field(max_length=MOST_COURSES)]

"""Decisions on the wire."""

from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

import orjson
from events.payloads import Basis, ConsentStatus, Unknown
from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints, model_validator

from privacy.consents.decisions import Enforcement, Outcome

MOST_DETAILS_BYTES: Final = 16 * 1024
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Extra(BaseModel):
    """Whatever else the body holds (how it was asked, on which page, …) is kept in the history, sealed."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    @model_validator(mode="after")
    def _not_too_much(self) -> Self:
        if len(orjson.dumps(self.model_extra)) > MOST_DETAILS_BYTES:
            raise ValueError(f"details of more than {MOST_DETAILS_BYTES} bytes")
        return self


class DecisionBody(Extra):
    """A decision. `notice_version`: the notice that was shown; 409 where another one holds."""

    status: ConsentStatus
    notice_version: Version | None = None


class NoticeGiven(Extra):
    """A notice that was shown. `version`, `language`: what was shown; the policy's own where left out."""

    version: Version | None = None
    language: Annotated[str, StringConstraints(min_length=2, max_length=35)] | None = None


class RulingBody(BaseModel):
    """An officer's decision. `upheld`: it stays stopped; `overridden`: it goes on, on these compelling grounds."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    grounds: Text


class ObjectionView(BaseModel):
    """`outcome` null: an officer has not decided yet, and processing stands still."""

    since: datetime
    outcome: Outcome | None
    decided_at: datetime | None


class NoticeVersion(BaseModel):
    version: str
    language: str


class PurposeState(BaseModel):
    """`allowed` and `denied` are the policy's default for who has decided nothing. `ask`: consent is to be asked for,
    since none was given, or none under the notice that holds now; `withdrawn` is not asked again by itself.
    """

    status: ConsentStatus | Unknown
    basis: Basis
    enforcement: Enforcement
    allowed: bool
    ask: bool = False
    notice: NoticeVersion
    objection: ObjectionView | None = None


class DecidedPurpose(PurposeState):
    """One purpose's state after a decision. `receipt`: where the learner's receipt is; null where nothing changed."""

    learner_id: UUID
    purpose: str
    receipt: str | None = None


class ConsentsOfLearner(BaseModel):
    """All purposes of the tenant's policy."""

    learner_id: UUID
    purposes: dict[str, PurposeState]

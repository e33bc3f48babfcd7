"""Decisions on the wire."""

from uuid import UUID

from events.payloads import Basis, ConsentStatus, Unknown
from pydantic import BaseModel, ConfigDict, JsonValue

from privacy.consents.decisions import Enforcement


class DecisionBody(BaseModel):
    """A decision. Whatever else the body holds (the notice shown, its language, …) is kept in the history."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    status: ConsentStatus


class PurposeState(BaseModel):
    """`allowed` and `denied` are the policy's default for who has decided nothing."""

    status: ConsentStatus | Unknown
    basis: Basis
    enforcement: Enforcement


class DecidedPurpose(PurposeState):
    """One purpose's state after a decision."""

    learner_id: UUID
    purpose: str


class ConsentsOfLearner(BaseModel):
    """All purposes of the tenant's policy."""

    learner_id: UUID
    purposes: dict[str, PurposeState]

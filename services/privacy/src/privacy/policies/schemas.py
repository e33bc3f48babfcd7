"""Policies on the wire."""

from typing import Literal

from events.payloads import Basis, Policy, Purpose, Unknown
from pydantic import BaseModel, ConfigDict


class PurposeRule(BaseModel):
    """The lawful basis of a purpose (GDPR 6(1)), and what holds for a learner who has decided nothing."""

    model_config = ConfigDict(extra="forbid")

    basis: Basis
    unknown: Unknown


class PolicyBody(BaseModel):
    """A whole policy. `not_recorded`: how ingest answers a statement whose learner does not allow `record`."""

    model_config = ConfigDict(extra="forbid")

    purposes: dict[Purpose, PurposeRule]
    not_recorded: Literal["accept", "refuse"] = "accept"

    def policy(self, version: int) -> Policy:
        return Policy.model_validate({"version": version, **self.model_dump(mode="json")})

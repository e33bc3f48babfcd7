"""What crosses the wire: keys wrapped, never open."""

import base64
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from service_kit.keys.directory import MOST, WrappedKey

TenantName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^/*]+$")]
Name = Annotated[str, StringConstraints(max_length=100)]


class DrawBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenant: TenantName
    count: int = Field(ge=1, le=MOST)


class LearnersBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenant: TenantName
    learners: list[Name] = Field(min_length=1, max_length=MOST)


class Learners(BaseModel):
    learners: list[str]


class LookUpBody(BaseModel):
    """By learners of a tenant, or by the names of keys. The learner "" is the tenant itself."""

    model_config = ConfigDict(extra="forbid")

    tenant: TenantName | None = None
    learners: list[Name] | None = Field(None, min_length=1, max_length=MOST)
    keys: list[Name] | None = Field(None, min_length=1, max_length=MOST)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.learners is None) == (self.keys is None):
            raise ValueError("learners or keys")
        if self.learners is not None and self.tenant is None:
            raise ValueError("learners need their tenant")
        return self


class KeyView(BaseModel):
    """A data key, wrapped by the key of its bucket (base64)."""

    key: str
    tenant: str
    learner_id: str
    bucket: str
    wrapped: str

    @classmethod
    def of(cls, key: WrappedKey) -> "KeyView":
        wrapped = base64.b64encode(key.wrapped).decode()
        return cls(
            key=key.name, tenant=key.owner.tenant, learner_id=key.owner.learner, bucket=key.bucket, wrapped=wrapped
        )


class KeyList(BaseModel):
    """What is not known is left out."""

    items: list[KeyView]


class Rotated(BaseModel):
    """How many bucket keys were replaced, and how many data keys are wrapped anew."""

    buckets: int
    keys: int

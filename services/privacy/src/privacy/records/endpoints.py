"""`POST /signatures`: the credentials of a learner's record, signed for learner_profile."""

from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from service_kit.auth import Principal, Role, require

from privacy.records.signing import credential_jwt, issuer_of
from privacy.settings import SigningSettings
from privacy.state import Here

MOST: Final = 500
router = APIRouter(prefix="/signatures", tags=["records"])
Caller = Annotated[Principal, Depends(require(Role.service, services=("learner_profile",)))]


class Subject(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str = Field(min_length=1, max_length=2048)


class Credential(BaseModel):
    """A verifiable credential without its issuer, which is ours."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    id: str = Field(min_length=1, max_length=2048)
    type: list[str]
    valid_from: AwareDatetime = Field(alias="validFrom")
    valid_until: AwareDatetime | None = Field(None, alias="validUntil")
    credential_subject: Subject = Field(alias="credentialSubject")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if "VerifiableCredential" not in self.type:
            raise ValueError("not a verifiable credential")
        return self

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True, by_alias=True)


class Unsigned(BaseModel):
    model_config = ConfigDict(extra="forbid")

    credentials: list[Credential] = Field(min_length=1, max_length=MOST)


class Signatures(BaseModel):
    """`items`: compact JWS, in the order of the credentials. `issuer` is the `iss` of each."""

    issuer: str
    items: list[str]


@router.post("")
async def sign(body: Unsigned, caller: Caller, state: Here) -> Signatures:
    """Sign credentials as the tenant's issuer; whoever checks them finds the key at `GET /certificates/keys`."""
    policy = await state.policies.find(caller.tenant)
    name = policy.controller.name if policy and policy.controller else caller.tenant
    base, signer = SigningSettings().record_issuer, await state.signing.signer()
    issuer = issuer_of(base, caller.tenant)
    items = [
        credential_jwt(one.document(), issuer=issuer, name=name, base=base, signer=signer) for one in body.credentials
    ]
    return Signatures(issuer=issuer, items=items)

"""The audit on the wire."""

from datetime import datetime

import orjson
from events.payloads import AuditAction, Audited
from pydantic import BaseModel, Field
from service_kit.chain import Mark

from privacy.audit.repository import Link


class AuditedView(BaseModel):
    """An entry of the chain. `learners`: null for one who is forgotten; `by`: a pseudonym, or `self`."""

    seq: int
    at: datetime
    service: str
    action: AuditAction
    what: str
    ground: str
    roles: list[str]
    by: str
    learners: list[str | None]
    count: int | None
    trace_id: str | None
    hash: str

    @classmethod
    def of(cls, link: Link, entry: Audited, learners: list[str | None]) -> "AuditedView":
        said = entry.model_dump(exclude={"subjects"})
        return cls(seq=link.seq, learners=learners, hash=link.hash, **said)


class HeadView(BaseModel):
    """Where the chain ends, signed. Keep it elsewhere: with it a cut-off end can be proven."""

    public_key: str = Field(description="Ed25519, base64 of its 32 bytes")
    mark: Mark
    signature: str = Field(description="base64; over `mark` as JSON with sorted keys and no spaces")


def entry_of(link: Link) -> Audited:
    return Audited.model_validate(orjson.loads(link.line)["entry"])

"""`/tenants/{id}/close`: a tenant leaves."""

import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from service_kit.archives import Sink
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest, Conflict, NotFound

from privacy.access.repository import Made
from privacy.closing.closing import archive_key, begin, cancel
from privacy.closing.repository import Closing, Stage
from privacy.state import Here, State

router = APIRouter(prefix="/tenants", tags=["tenants"])
Officer = Annotated[Principal, Depends(require(Role.dpo))]
ZIP: Final = "application/zip"


class CloseBody(BaseModel):
    """`confirm` is the tenant's name once more."""

    model_config = ConfigDict(extra="forbid")

    confirm: str


class ClosingView(BaseModel):
    """`counts`: documents removed, by service and collection. `keys_destroyed_at`: when every key of the tenant was.
    `certificate`: a JWS (see `/certificates/keys`).
    """

    tenant: str
    stage: Stage
    asked_at: datetime
    erase_after: datetime
    exported: int
    erased: int
    failed: int
    counts: dict[str, dict[str, int]]
    keys_destroyed_at: datetime | None
    closed_at: datetime | None
    certificate: str | None

    @classmethod
    def of(cls, closing: Closing) -> "ClosingView":
        return cls(
            tenant=closing.tenant,
            stage=closing.stage,
            asked_at=closing.asked_at,
            erase_after=closing.erase_after,
            exported=closing.exported,
            erased=closing.erased,
            failed=closing.failed,
            counts=closing.counts,
            keys_destroyed_at=closing.keys_destroyed_at,
            closed_at=closing.closed_at,
            certificate=closing.jws,
        )


@router.post("/{tenant}/close", status_code=202)
async def close(tenant: str, body: CloseBody, principal: Officer, state: Here) -> ClosingView:
    """Leave: everything is exported; after a waiting period all learners are erased, with one signed certificate."""
    _check(tenant, principal)
    if body.confirm != tenant:
        errors = [{"pointer": "/confirm", "detail": "expected the tenant's name"}]
        raise BadRequest("To close a tenant, name it", errors=errors)
    closing = await begin(tenant, state)
    await state.audit.record(AuditEntry(tenant, Who.of(principal), Action.changed, "tenant/close"))
    return ClosingView.of(closing)


@router.get("/{tenant}/close")
async def read(tenant: str, principal: Officer, state: Here) -> ClosingView:
    """How far the closing is, and at its end the certificate."""
    return ClosingView.of(await _found(tenant, principal, state))


@router.delete("/{tenant}/close")
async def undo(tenant: str, principal: Officer, state: Here) -> ClosingView:
    """Change one's mind before anything is erased."""
    _check(tenant, principal)
    closing = await cancel(tenant, state)
    await state.audit.record(AuditEntry(tenant, Who.of(principal), Action.changed, "tenant/close/cancelled"))
    return ClosingView.of(closing)


@router.get("/{tenant}/export", response_class=StreamingResponse, responses={200: {"content": {ZIP: {}}}})
async def export(tenant: str, principal: Officer, state: Here) -> StreamingResponse:
    """Everything, as a ZIP of one archive for each learner; there from the end of the export until the erasure."""
    closing = await _found(tenant, principal, state)
    if closing.stage is not Stage.waiting:
        raise Conflict(f"There is an export while a closing tenant waits for its erasure; it is {closing.stage.value}")
    entry = AuditEntry(tenant, Who.of(principal), Action.exported, "tenant", count=closing.exported)
    await state.audit.record(entry)
    headers = {"Content-Disposition": f'attachment; filename="{tenant}.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(_export(closing, state), media_type=ZIP, headers=headers)


async def _export(closing: Closing, state: State) -> AsyncIterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as whole:
        for number in range(1, closing.exported + 1):
            made: Made | None = await state.archives.find(
                closing.tenant, archive_key(closing.tenant, number), state.clock()
            )
            if made is None:
                raise LookupError("the export has expired meanwhile")
            with whole.open(zipfile.ZipInfo(f"learners/{number:08}.zip"), "w", force_zip64=True) as file:
                async for chunk in state.archives.read(made):
                    file.write(chunk)
                    yield sink.taken()
    yield sink.taken()


def _check(tenant: str, principal: Principal) -> None:
    if tenant != principal.tenant:
        raise NotFound("There is no such tenant")


async def _found(tenant: str, principal: Principal, state: State) -> Closing:
    _check(tenant, principal)
    closing = await state.closings.find(tenant)
    if closing is None:
        raise NotFound("This tenant is not being closed")
    return closing

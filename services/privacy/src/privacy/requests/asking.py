"""A request, from the asking to the durable start."""

import hashlib
from dataclasses import dataclass, replace

from service_kit.mongo import DuplicateKeyError, Session, in_transaction
from service_kit.problems import Conflict, NotFound
from uuid_utils.compat import uuid7

from privacy.requests.progress import Carried, DataRequest, Kind, Status, started
from privacy.state import State


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what. `approved`: an officer asks, nobody need approve. `subject` goes into a digest alone."""

    tenant: str
    type: Kind
    learner: str
    approved: bool
    subject: str
    idempotency_key: str | None = None

    @property
    def idempotency(self) -> str | None:
        if self.idempotency_key is None:
            return None
        return hashlib.sha256(f"{self.subject}\n{self.idempotency_key}".encode()).hexdigest()


async def ask(asking: Asking, state: State) -> DataRequest:
    """Make the request, or find it: under the same Idempotency-Key, or because the learner has an open one.

    A pending one that an officer asks for as well is thereby approved. Raises `Conflict` where the key was used for
    another learner.
    """
    for _ in range(3):
        try:
            return await in_transaction(state.client, lambda session: _ask(asking, state, session))
        except DuplicateKeyError:
            continue  # somebody made the same one in between: now it is found
    raise Conflict("The same request is being made at the same time")


async def _ask(asking: Asking, state: State, session: Session) -> DataRequest:
    repeated = await _repeated(asking, state, session)
    if repeated is not None:
        return repeated
    request = await state.requests.open_of(asking.tenant, asking.learner, session)
    if request is None:
        request = _new(asking, state)
        await state.requests.add(asking.tenant, request, asking.idempotency, session)
    if asking.approved and request.status is Status.pending:
        return await _start(asking.tenant, request, state, session)
    return request


async def _repeated(asking: Asking, state: State, session: Session) -> DataRequest | None:
    if asking.idempotency is None:
        return None
    found = await state.requests.repeated(asking.tenant, asking.idempotency, session)
    if found is not None and (found.learner, found.type) != (asking.learner, asking.type):
        raise Conflict("This Idempotency-Key was used for another request")
    return found


def _new(asking: Asking, state: State) -> DataRequest:
    return DataRequest(
        id=str(uuid7()),
        type=asking.type,
        learner=asking.learner,
        status=Status.pending,
        requested_by="dpo" if asking.approved else "learner",
        requested_at=state.clock(),
    )


async def approve(tenant: str, request_id: str, state: State) -> DataRequest:
    """Start a pending request; one that is started already stays so. Raises `NotFound`, `Conflict`."""

    async def start(session: Session) -> DataRequest:
        request = await _found(tenant, request_id, state, session)
        if request.status is Status.refused:
            raise Conflict("The request was refused")
        return await _start(tenant, request, state, session) if request.status is Status.pending else request

    return await in_transaction(state.client, start)


async def refuse(tenant: str, request_id: str, reason: str, state: State) -> DataRequest:
    """Refuse a pending request; one that is refused already stays so. Raises `NotFound`, `Conflict`."""

    async def end(session: Session) -> DataRequest:
        request = await _found(tenant, request_id, state, session)
        if request.status is Status.refused:
            return request
        if request.status is not Status.pending:
            raise Conflict(f"The request is {request.status.value} already")
        refused = replace(request, status=Status.refused, reason=reason, completed_at=state.clock())
        await state.requests.put(tenant, refused, session)
        return refused

    return await in_transaction(state.client, end)


async def _found(tenant: str, request_id: str, state: State, session: Session) -> DataRequest:
    request = await state.requests.find(tenant, request_id, session)
    if request is None:
        raise NotFound("There is no such request")
    return request


async def _start(tenant: str, request: DataRequest, state: State, session: Session) -> DataRequest:
    """Forget the learner here and tell the others, in one transaction."""
    now = state.clock()
    counts = await state.consents.forget(tenant, request.learner, now, session)
    running = started(request, Carried(counts, now), state.resend)
    await state.requests.put(tenant, running, session, send=True)
    return running

"""A request, from the asking to the durable start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service_kit.mongo import DuplicateKeyError, Session, in_transaction
from service_kit.problems import BadRequest, Conflict, NotFound
from uuid_utils.compat import uuid7

from privacy.requests.forgetting import forget
from privacy.requests.progress import (
    COLLECTED,
    Carried,
    DataRequest,
    Kind,
    Status,
    identity_asked,
    identity_confirmed,
    started,
)
from privacy.requests.rules import rules_of
from privacy.requests.standing import acknowledged, let_go, stop, uphold
from privacy.retention.holding import keep
from privacy.retention.holding import let_go as end_keeping
from privacy.retention.holds import inspection, is_held
from privacy.state import State


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what. `approved`: an officer asks, nobody need approve. `subject` goes into a digest alone.

    `asker`: a guardian's pseudonym, by which the guardian finds the certificate when nothing leads to the child.
    """

    tenant: str
    type: Kind
    learner: str
    approved: bool
    subject: str
    idempotency_key: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    by: str = "learner"
    asker: str | None = None

    @property
    def idempotency(self) -> str | None:
        if self.idempotency_key is None:
            return None
        return hashlib.sha256(f"{self.subject}\n{self.idempotency_key}".encode()).hexdigest()


async def ask(asking: Asking, state: State) -> DataRequest:
    """Make the request, or find it: under the same Idempotency-Key, or because the learner has the same one open.

    A pending one that an officer asks for as well is thereby approved. Access and portability need nobody's approval.
    Raises `Conflict` where the key was used for another learner, or where the law has the request wait, `NotFound`
    where the learner is forgotten.
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
    request = await _same(asking, state, session)
    if request is None:
        if asking.type != "erasure" and (await state.consents.find(asking.tenant, asking.learner, session)).erased:
            raise NotFound("This learner has been forgotten")
        request = (await rules_of(asking.tenant, state, session)).dated(_new(asking, state))
        await state.requests.add(asking.tenant, request, asking.idempotency, session, asker=asking.asker)
        if request.type == "access":  # nothing is destroyed that is being asked for (34 CFR 99.10(e))
            await keep(asking.tenant, request.learner, inspection(request.id), state, session)
        if request.type == "objection":  # GDPR 21(1): it stops now, an officer decides afterwards
            request = await stop(asking.tenant, request, state, session)
    if request.status is Status.pending and (asking.approved or request.type in COLLECTED):
        return await _start(asking.tenant, request, state, session)
    return request


async def _repeated(asking: Asking, state: State, session: Session) -> DataRequest | None:
    if asking.idempotency is None:
        return None
    found = await state.requests.repeated(asking.tenant, asking.idempotency, session)
    if found is not None and not await _is_same(asking, found, state):
        raise Conflict("This Idempotency-Key was used for another request")
    return found


async def _same(asking: Asking, state: State, session: Session) -> DataRequest | None:
    """The learner's open request for the same thing: to object to another purpose is another one."""
    asked = _new(asking, state)
    for request in await state.requests.unfinished(asking.tenant, asking.learner, session):
        if (request.type, request.about) == (asked.type, asked.about):
            return request
    return None


async def _is_same(asking: Asking, found: DataRequest, state: State) -> bool:
    return found.type == asking.type and await state.requests.is_about(asking.tenant, found.id, asking.learner)


def _new(asking: Asking, state: State) -> DataRequest:
    return DataRequest(
        id=str(uuid7()),
        type=asking.type,
        learner=asking.learner,
        status=Status.pending,
        requested_by=asking.by,
        requested_at=state.clock(),
        details=asking.details,
    )


async def approve(tenant: str, request_id: str, state: State) -> DataRequest:
    """Start a pending request; one that is started already stays so. Raises `NotFound`, `Conflict`."""

    async def start(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        if request.status is Status.refused:
            raise Conflict("The request was refused")
        return await _start(tenant, request, state, session) if request.status is Status.pending else request

    return await in_transaction(state.client, start)


async def refuse(tenant: str, request_id: str, ground: str, reason: str, state: State) -> DataRequest:
    """Refuse a pending request on a ground that the tenant's pack knows; one that is refused already stays so.

    An objection that is overridden lets the processing go on. Raises `NotFound`, `Conflict`, `BadRequest`.
    """

    async def end(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        if request.status is Status.refused:
            return request
        if request.status is not Status.pending:
            raise Conflict(f"The request is {request.status.value} already")
        await _check_ground(tenant, request, ground, state, session)
        now = state.clock()
        refused = replace(request, status=Status.refused, ground=ground, reason=reason, completed_at=now)
        await state.requests.put(tenant, refused, session, texts=True, certify=True)
        if request.type == "objection":
            await let_go(tenant, refused, state, session)
        if request.type == "access":
            await end_keeping(tenant, request.learner, inspection(request.id), state, session)
        return refused

    return await in_transaction(state.client, end)


async def _check_ground(tenant: str, request: DataRequest, ground: str, state: State, session: Session) -> None:
    known = [one.code for one in (await rules_of(tenant, state, session)).grounds(request.type)]
    if not known:
        raise Conflict(f"The policy pack grants every request for {request.type}")
    if ground not in known:
        errors = [{"pointer": "/ground", "detail": f"expected one of {', '.join(known)}"}]
        raise BadRequest("The policy pack does not know this ground", errors=errors)


async def extend(tenant: str, request_id: str, reason: str, state: State) -> DataRequest:
    """Take the further time that the pack allows, once and before the first is over (GDPR 12(3)).

    Raises `NotFound`, `Conflict`.
    """

    async def longer(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        now = state.clock()
        if request.extended_at is not None:
            raise Conflict("The request was extended already")
        if request.status not in (Status.pending, Status.running) or (request.due_at and now > request.due_at):
            raise Conflict("Only a request that is open and within its time can be extended")
        due = (await rules_of(tenant, state, session)).extended(request)
        if due is None:
            raise Conflict("The policy pack allows no further time")
        extended = replace(request, due_at=due, extended_at=now, extension_reason=reason)
        await state.requests.put(tenant, extended, session, texts=True)
        return extended

    return await in_transaction(state.client, longer)


async def check_identity(tenant: str, request_id: str, confirmed: bool, state: State) -> DataRequest:
    """Ask whoever made the request to show who they are, or say that they have (GDPR 12(6)).

    Raises `NotFound`, `Conflict`.
    """

    async def change(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        if request.status is not Status.pending:
            raise Conflict(f"The request is {request.status.value} already")
        if request.identity == ("confirmed" if confirmed else "asked"):
            return request
        now = state.clock()
        checked = identity_confirmed(request, now) if confirmed else identity_asked(request, now)
        await state.requests.put(tenant, checked, session)
        return checked

    return await in_transaction(state.client, change)


async def found(tenant: str, request_id: str, state: State, session: Session | None = None) -> DataRequest:
    """Raises `NotFound`."""
    request = await state.requests.find(tenant, request_id, session)
    if request is None:
        raise NotFound("There is no such request")
    return request


async def take_along(tenant: str, request: DataRequest, state: State, session: Session) -> None:
    """An erasure takes everyone whom the person is (`identities.merges.v1`): each as a request of its own, with its own
    receipts and certificate. Raises `Conflict` where the law has one of them wait.
    """
    for one in (await state.merges.group(tenant, request.learner, session)).everyone:
        if one == request.learner or (await state.consents.find(tenant, one, session)).erased:
            continue
        theirs = await state.requests.open_erasure(tenant, one, session)
        if theirs is None:
            asking = Asking(tenant, "erasure", one, True, "", details={"with": request.id}, by=request.requested_by)
            theirs = (await rules_of(tenant, state, session)).dated(_new(asking, state))
            await state.requests.add(tenant, theirs, None, session)
        await _start(tenant, replace(theirs, identity="confirmed"), state, session)


async def _start(tenant: str, request: DataRequest, state: State, session: Session) -> DataRequest:
    """Do here what can be done here, and tell the others, in one transaction. Raises `Conflict`."""
    if request.identity == "asked":
        raise Conflict("Whoever asked has not shown yet who they are")
    waiting = await _not_over(tenant, request.learner, state, session)
    reason = (await rules_of(tenant, state, session)).waits(request.type, waiting)
    if reason is not None:
        raise Conflict(reason)
    if request.type == "erasure" and await _is_held(tenant, request.learner, state, session):
        raise Conflict("A legal hold keeps this learner's records (GDPR 17(3)(e)): release it first")
    now = state.clock()
    if request.type == "erasure":
        counts = await forget(tenant, request, state, session)
        running = started(request, Carried(counts, now), state.resend, now)
        await state.requests.put(tenant, running, session, send=True)
        await take_along(tenant, request, state, session)
    elif request.type in ("restriction", "objection"):
        carry = stop if request.type == "restriction" else uphold
        stopped = await carry(tenant, request, state, session)
        held = await state.consents.find(tenant, request.learner, session)
        running = acknowledged(started(stopped, Carried({}, now), state.resend, now), held, now)
        await state.requests.put(tenant, running, session)
    else:  # privacy's worker calls the services
        running = replace(started(request, None, state.resend, now), send_again_at=now)
        await state.requests.put(tenant, running, session)
    return running


async def _not_over(tenant: str, learner: str, state: State, session: Session) -> set[Kind]:
    """The kinds of the learner's requests that are open; an inspection is until what was put together is fetched."""
    kinds = {request.type for request in await state.requests.unfinished(tenant, learner, session)}
    made = [one.id for one in await state.requests.of_learner(tenant, learner, session) if one.type == "access"]
    if await state.archives.lies_unread(tenant, made, state.clock(), session):
        kinds.add("access")
    return kinds


async def _is_held(tenant: str, learner: str, state: State, session: Session) -> bool:
    own = is_held((await state.consents.find(tenant, learner, session)).holds)
    return own or await state.holds.on_everyone(tenant, session)

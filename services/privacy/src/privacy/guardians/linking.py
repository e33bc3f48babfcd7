"""Making, changing and ending a link."""

from dataclasses import replace
from datetime import date

from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict, NotFound
from uuid_utils.compat import uuid7

from privacy.consents.deciding import standing
from privacy.guardians.links import Link
from privacy.guardians.schemas import LinkBody, LinkChange
from privacy.packs import pack_named
from privacy.state import State


async def link(tenant: str, body: LinkBody, who: Who, state: State) -> Link:
    """A new link, or the active one between the two. Raises `NotFound`, `Conflict` where the rights have passed."""

    async def make(session: Session) -> Link:
        learner, now = str(body.learner_id), state.clock()
        until = await _until(tenant, learner, body.born, body.postsecondary_from, state, session)
        held = await state.guardians.of_learner(tenant, learner, session)
        known = next((one for one in held if one.guardian == body.guardian and one.active(now)), None)
        if known is not None:
            return known
        made = Link(
            id=str(uuid7()),
            learner=learner,
            guardian=body.guardian,
            verified_by=body.verified_by,
            made_at=now,
            born=body.born,
            postsecondary_from=body.postsecondary_from,
            until=until,
        )
        if not made.active(now):
            raise Conflict(f"The rights are the learner's own since {until}: nobody acts for the learner any more")
        await _keep(tenant, made, who, state, session)
        return made

    return await in_transaction(state.client, make)


async def change(tenant: str, link_id: str, body: LinkChange, who: Who, state: State) -> Link:
    """With what became known later. Raises `NotFound`."""

    async def put(session: Session) -> Link:
        held = await _found(tenant, link_id, state, session)
        born, postsecondary = body.born or held.born, body.postsecondary_from or held.postsecondary_from
        until = await _until(tenant, held.learner, born, postsecondary, state, session)
        changed = replace(held, born=born, postsecondary_from=postsecondary, until=until)
        await _keep(tenant, changed, who, state, session)
        return changed

    return await in_transaction(state.client, put)


async def end(tenant: str, link_id: str, who: Who, state: State) -> Link:
    """The guardian acts no more; an ended link stays to be seen. Raises `NotFound`."""

    async def put(session: Session) -> Link:
        held = await _found(tenant, link_id, state, session)
        if held.ended_at is not None:
            return held
        ended = replace(held, ended_at=state.clock())
        await _keep(tenant, ended, who, state, session)
        return ended

    return await in_transaction(state.client, put)


async def _found(tenant: str, link_id: str, state: State, session: Session) -> Link:
    held = await state.guardians.find(tenant, link_id, session)
    if held is None:
        raise NotFound("There is no such link")
    return held


async def _until(
    tenant: str, learner: str, born: date | None, postsecondary: date | None, state: State, session: Session
) -> date | None:
    policy = (await standing(tenant, learner, state, session)).policy
    return pack_named(policy.pack).guardian_until(born, postsecondary)


async def _keep(tenant: str, link: Link, who: Who, state: State, session: Session) -> None:
    await state.guardians.put(tenant, link, session)
    await state.audit.record(AuditEntry(tenant, who, Action.changed, "guardians", (link.learner,)), session)

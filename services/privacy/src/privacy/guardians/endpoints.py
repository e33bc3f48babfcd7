"""`/guardians`: who acts for whom. The guardian and the learner both see it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from service_kit.audit import Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import Forbidden, NotFound

from privacy.guardians import linking
from privacy.guardians.schemas import LinkBody, LinkChange, LinkView
from privacy.state import Here

router = APIRouter(prefix="/guardians", tags=["guardians"])

Office = Annotated[Principal, Depends(require(Role.app, Role.dpo))]
Seer = Annotated[Principal, Depends(require(Role.learner, Role.app, Role.dpo))]
Guardian = Annotated[Principal, Depends(require(Role.guardian))]
Ender = Annotated[Principal, Depends(require(Role.guardian, Role.app, Role.dpo))]


@router.post("", status_code=201)
async def make(body: LinkBody, principal: Office, state: Here) -> LinkView:
    """Link a verified guardian to a minor. The tenant's pack says when it ends; 409 where the rights have passed."""
    made = await linking.link(principal.tenant, body, Who.of(principal), state)
    return LinkView.of(made, state.clock())


@router.get("")
async def of_learner(learner_id: UUID, principal: Seer, state: Here) -> list[LinkView]:
    """The learner's guardians, former ones too; a learner sees the own."""
    people = (await state.merges.group(principal.tenant, str(learner_id))).everyone
    if not any(principal.may_see(one, Role.app, Role.dpo) for one in people):
        raise Forbidden("A learner sees the own guardians only")
    links = [link for one in people for link in await state.guardians.of_learner(principal.tenant, one)]
    return [LinkView.of(link, state.clock()) for link in links]


@router.get("/me")
async def mine(principal: Guardian, state: Here) -> list[LinkView]:
    """For whom the caller acts, or has acted."""
    links = await state.guardians.of_guardian(principal.tenant, principal.subject)
    return [LinkView.of(link, state.clock()) for link in links]


@router.patch("/{link_id}")
async def change(link_id: UUID, body: LinkChange, principal: Office, state: Here) -> LinkView:
    """Say the learner's birthday or postsecondary enrolment, once known."""
    changed = await linking.change(principal.tenant, str(link_id), body, Who.of(principal), state)
    return LinkView.of(changed, state.clock())


@router.delete("/{link_id}")
async def end(link_id: UUID, principal: Ender, state: Here) -> LinkView:
    """End a link; a guardian ends the own."""
    if not principal.has(Role.app, Role.dpo):
        held = await state.guardians.find(principal.tenant, str(link_id))
        if held is None or held.guardian != principal.subject:
            raise NotFound("There is no such link")
    ended = await linking.end(principal.tenant, str(link_id), Who.of(principal), state)
    return LinkView.of(ended, state.clock())

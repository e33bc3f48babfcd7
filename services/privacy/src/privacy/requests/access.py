"""Who may ask for whom, and see what came of it: the learner, a guardian with a verified link, an officer."""

from collections.abc import Sequence

from service_kit.auth import Principal, Role
from service_kit.problems import Forbidden, NotFound

from privacy.requests.asking import found
from privacy.requests.progress import DataRequest
from privacy.state import State


async def role_towards(principal: Principal, learner: str, state: State) -> str | None:
    """As what the caller acts for this learner, by any id of the person; None: not at all."""
    people = (await state.merges.group(principal.tenant, learner)).everyone
    if any(principal.may_see(one) for one in people):
        return Role.learner.value
    if principal.has(Role.guardian) and await is_guardian(principal, people, state):
        return Role.guardian.value
    return Role.dpo.value if principal.has(Role.dpo) else None


async def is_guardian(principal: Principal, people: Sequence[str], state: State) -> bool:
    """Whether a verified link makes the caller the guardian of the person behind these learners now."""
    return await state.guardians.acts_for(principal.tenant, principal.subject, people, state.clock())


async def check_may_ask(principal: Principal, learner: str, state: State) -> str:
    """The caller's role towards the learner. Raises `Forbidden`."""
    role = await role_towards(principal, learner, state)
    if role is None:
        raise Forbidden("A request is made by the learner, a guardian of the learner, or the data protection officer")
    return role


async def visible(principal: Principal, request_id: str, state: State) -> DataRequest:
    """A request that the caller may see. Raises `NotFound`."""
    request = await found(principal.tenant, request_id, state)
    if await _may_see(principal, request, state):
        return request
    raise NotFound("There is no such request")


async def _may_see(principal: Principal, request: DataRequest, state: State) -> bool:
    if request.type == "erasure" and request.started_at is not None and await _has_asked(principal, request, state):
        return True  # the link to the child is gone, the certificate is theirs
    if request.learner:
        return await role_towards(principal, request.learner, state) is not None
    own = principal.learner_id if principal.has(Role.learner) else None
    return principal.has(Role.dpo) or await state.requests.is_about(principal.tenant, request.id, own)


async def _has_asked(principal: Principal, request: DataRequest, state: State) -> bool:
    asker = state.audit.pseudonym(principal.tenant, principal.subject)
    return principal.has(Role.guardian) and await state.requests.is_asker(principal.tenant, request.id, asker)

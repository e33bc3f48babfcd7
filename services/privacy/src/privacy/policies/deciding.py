"""The tenant's policy, read and set."""

from events.payloads import Policy
from service_kit.mongo import Session, in_transaction
from service_kit.problems import BadRequest, NotFound

from privacy.policies.rules import faults
from privacy.policies.schemas import PolicyBody
from privacy.state import State

NO_POLICY = "This tenant has no policy yet: a data protection officer sets it by PUT /policy"


async def policy_of(tenant: str, state: State, session: Session | None = None) -> Policy:
    """Raises `NotFound` where none is set."""
    policy = await state.policies.find(tenant, session)
    if policy is None:
        raise NotFound(NO_POLICY)
    return policy


async def put_policy(tenant: str, body: PolicyBody, state: State) -> Policy:
    """Set the whole policy; the same again changes nothing, its version neither. Raises `BadRequest`."""
    wrong = faults(body)
    if wrong:
        raise BadRequest("The policy is not valid at " + ", ".join(w["pointer"] for w in wrong), errors=wrong)

    async def store(session: Session) -> Policy:
        held = await state.policies.find(tenant, session)
        if held is not None and body.policy(held.version) == held:
            return held
        policy = body.policy(held.version + 1 if held else 1)
        await state.policies.put(tenant, policy, state.clock(), session)
        return policy

    return await in_transaction(state.client, store)

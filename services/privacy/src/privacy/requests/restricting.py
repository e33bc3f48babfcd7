"""The end of a restriction (GDPR 18(3))."""

from dataclasses import replace

from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict

from privacy.requests.asking import found
from privacy.requests.progress import DataRequest, Status
from privacy.requests.standing import let_go
from privacy.state import State


async def lift(tenant: str, request_id: str, state: State) -> DataRequest:
    """Let processing go on. One that is lifted already stays so. Raises `NotFound`, `Conflict`."""

    async def end(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        if request.type != "restriction" or request.status not in (Status.running, Status.completed):
            raise Conflict("Only a restriction that holds can be lifted")
        if "lifted_at" in request.details:
            return request
        lifted = replace(request, details={**request.details, "lifted_at": state.clock().isoformat()})
        await let_go(tenant, request, state, session)
        await state.requests.put(tenant, lifted, session, texts=True)
        return lifted

    return await in_transaction(state.client, end)

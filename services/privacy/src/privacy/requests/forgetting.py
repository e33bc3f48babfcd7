"""What privacy itself lets go of when a learner is erased."""

from service_kit.mongo import Session

from privacy.requests.progress import DataRequest
from privacy.state import State


async def forget(tenant: str, request: DataRequest, state: State, session: Session) -> dict[str, int]:
    """Documents removed, by collection. What stays of requests is sealed, and says no more about whom it was."""
    learner = request.learner
    counts = await state.consents.forget(tenant, learner, state.clock(), session)
    requests = await state.requests.forget(tenant, learner, request.id, session)
    counts["archives"] = await state.archives.forget(requests, session)
    counts["audit_subjects"] = await state.chain.forget(tenant, learner, session)
    return counts

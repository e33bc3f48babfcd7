"""What the privacy service itself holds on a learner."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Final

import orjson
from service_kit.problems import NotFound
from service_kit.subjects import Item, Record

from privacy.audit.schemas import AuditedView, entry_of
from privacy.consents.keeping import records_of
from privacy.requests.schemas import RequestView
from privacy.state import State

AUDIT_PAGE: Final = 500


async def own(tenant: str, learner: str, state: State) -> AsyncIterator[Item]:
    """Decisions now and ever, guardians, requests, statements beside the record, the audit."""
    dossier = await state.consents.find(tenant, learner)
    if dossier.version:
        yield Record("consents", dossier.message().model_dump_json().encode())
    for entry in await state.consents.history(tenant, learner):
        yield Record("consent_history", orjson.dumps(asdict(entry), default=_plain))
    try:
        for record in await records_of(tenant, learner, state):
            yield Record.of("consent_records", record)
    except NotFound:  # the tenant has no policy yet
        pass
    for link in await state.guardians.of_learner(tenant, learner):
        yield Record.of("guardians", asdict(link))
    requests = await state.requests.of_learner(tenant, learner)
    for request in requests:
        yield Record("requests", RequestView.of(request).model_dump_json().encode())
    for request in requests:
        if "statement_beside" in request.details:
            beside = {
                "statement_id": request.details["statement_id"],
                "text": request.details["statement_beside"],
                "at": request.details["statement_beside_at"],
            }
            yield Record.of("statements_beside", beside)
    async for item in _audit(tenant, learner, state):
        yield item


async def _audit(tenant: str, learner: str, state: State) -> AsyncIterator[Item]:
    before: int | None = None
    while links := await state.chain.about(tenant, learner, before, AUDIT_PAGE):
        for link in links:
            view = AuditedView.of(link, entry_of(link), [learner])  # whom else it was about is theirs
            yield Record("audit", view.model_dump_json().encode())
        before = links[-1].seq


def _plain(value: object) -> object:
    """Of what JSON does not know: pydantic models and enumerations."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump else str(value)

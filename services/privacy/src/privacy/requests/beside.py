"""A statement beside the record: what a learner says about a record that was not amended (34 CFR 99.21(b)(2), (c)).

It is kept with the request that was refused, as long as that is, and given with the record at every access request.
"""

from dataclasses import replace

from service_kit.mongo import Session, in_transaction
from service_kit.problems import Conflict

from privacy.packs import PACKS
from privacy.requests.asking import found
from privacy.requests.progress import DataRequest, Status
from privacy.state import State


async def place_beside(tenant: str, request_id: str, text: str, state: State) -> DataRequest:
    """Keep the learner's words beside the contested record; a later text takes the place of the first.

    Raises `NotFound`, `Conflict`.
    """

    async def place(session: Session) -> DataRequest:
        request = await found(tenant, request_id, state, session)
        pack = PACKS.get(request.pack)
        if request.type != "rectification" or request.status is not Status.refused:
            raise Conflict("A statement stands beside a record whose amendment was refused")
        if pack is None or not pack.hearing:
            raise Conflict("The policy pack knows no statement beside the record")
        details = {**request.details, "statement_beside": text, "statement_beside_at": state.clock().isoformat()}
        placed = replace(request, details=details)
        await state.requests.put(tenant, placed, session, texts=True)
        return placed

    return await in_transaction(state.client, place)

"""Put right what is wrong about a learner: the statement is voided, and a correcting one takes its place.

Both are stored as any statement is, so that they reach every service and every forwarding target (GDPR 16, 19).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest, Conflict, NotFound
from xapi import VOIDED, Parsed, StatementInvalid, Version, learners_of, loads, parse_statement
from xapi.parsing import JsonObject

from ingest.credentials.credential import Account, Credential
from ingest.credentials.schemas import Scope
from ingest.state import State, state_of
from ingest.statements.indexing import key_of

router = APIRouter(prefix="/subjects", tags=["subjects"])
HOME_PAGE: Final = "https://trellis.invalid/privacy"
KEY: Final = "privacy"


class Rectification(BaseModel):
    """`request` names both new statements, so that a repetition makes no more of them."""

    model_config = ConfigDict(extra="forbid")

    request: UUID
    asked_at: AwareDatetime
    statement_id: UUID
    correction: dict[str, JsonValue] | None = None


class Rectified(BaseModel):
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Plan:
    tenant: str
    learner: str
    body: Rectification

    def id_of(self, what: str) -> str:
        return str(uuid.uuid5(self.body.request, what))


@router.post("/{learner_id}/rectifications")
async def rectify(
    learner_id: UUID,
    body: Rectification,
    request: Request,
    caller: Annotated[Principal, Depends(require(Role.service, services=("privacy",)))],
) -> Rectified:
    """Void a statement about the learner and store its correction. Repeatable.

    404 where there is no such statement about the learner, 400 where the correction is no valid statement about them.
    """
    state, plan = state_of(request), _Plan(caller.tenant, str(learner_id), body)
    statement = await _statement(plan, state)
    credential = Credential(KEY, plan.tenant, frozenset({Scope.all}), Account(HOME_PAGE, KEY))
    batch = [_voiding(plan, statement["actor"])] if statement is not None else []
    if body.correction is not None:
        batch.append(await _correction(plan, body.correction, state))
    recorded = 0
    for one in batch:
        done = await state.recorder.record(credential, Version.V1_0_3, [one], is_array=False)
        recorded += 1 - done.not_recorded
    if recorded < len(batch):
        raise Conflict("The learner does not allow `record`: nothing new can be stored about them")
    return Rectified(counts={"voided": 1, "corrected": int(body.correction is not None)})


async def _statement(plan: _Plan, state: State) -> JsonObject | None:
    """The statement; None where it is voided already. Raises `NotFound`."""
    documents = await state.statements.find([key_of(plan.tenant, str(plan.body.statement_id))])
    own = set((await state.merging.view.group(plan.tenant, plan.learner)).everyone)
    about = [document for document in documents if "stored" in document and not own.isdisjoint(document["learners"])]
    opened = await state.statements.readable(about)
    if not opened:
        raise NotFound("There is no such statement about this learner")
    ((found, data),) = opened
    statement: JsonObject = loads(data)
    if statement["verb"]["id"] == VOIDED:
        raise BadRequest("What voids is not voided")  # 1.0.3 Data 2.3.2
    return None if "voided" in found else statement


def _voiding(plan: _Plan, actor: JsonObject) -> Parsed:
    """In the learner's name, who asked for it: nobody else's leave to be recorded is needed."""
    return parse_statement(
        {
            "id": plan.id_of("void"),
            "actor": actor,
            "verb": {"id": VOIDED},
            "object": {"objectType": "StatementRef", "id": str(plan.body.statement_id)},
            "timestamp": _moment(plan.body.asked_at),
        },
        Version.V1_0_3,
    )


async def _correction(plan: _Plan, given: JsonObject, state: State) -> Parsed:
    """Valid, and about this learner and nobody else. Raises `BadRequest`."""
    raw: dict[str, Any] = {"timestamp": _moment(plan.body.asked_at)} | dict(given) | {"id": plan.id_of("correct")}
    try:
        parsed = parse_statement(raw, Version.V1_0_3)
    except StatementInvalid as error:
        places = [{"pointer": f"/correction{p.path}", "detail": p.reason} for p in error.errors]
        raise BadRequest("The correction is not a valid statement", errors=places) from None
    found = [await state.identities.look_up(plan.tenant, ifi) for ifi in learners_of(parsed.raw)]
    own = (await state.merging.view.group(plan.tenant, plan.learner)).everyone
    if not found or any(one is None or one.learner not in own for one in found):
        place = {"pointer": "/correction/actor", "detail": "expected the learner whose record is put right"}
        raise BadRequest("The correction is about someone else", errors=[place])
    return parsed


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

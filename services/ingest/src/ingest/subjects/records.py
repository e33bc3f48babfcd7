"""Statements of a learner's record that was brought from elsewhere, for learner_profile, which has checked it.

They stay under the identifiers that they name; each identifier that nobody has here is merged into the learner. One
that is somebody's already is not: a record cannot make two people of this place one.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from service_kit.audit import Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest, NotFound
from xapi import StatementInvalid, learners_of

from ingest.identities.endpoints import identifier
from ingest.imports import lines
from ingest.imports.lines import Line
from ingest.imports.schemas import Rejected
from ingest.imports.taking import importing, record_runs
from ingest.state import State, state_of

router = APIRouter(prefix="/subjects", tags=["subjects"])
MOST_STATEMENTS: Final = 500
MOST_AGENTS: Final = 50
OTHERS: Final = "it is about somebody whom the record does not name as its learner, or who is known here already"
KNOWN: Final = "it is somebody's here already"


class Part(BaseModel):
    """A part of a record. `agents`: the identifiers of its learner."""

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(min_length=1, max_length=2048)
    agents: list[dict[str, JsonValue]] = Field(max_length=MOST_AGENTS)
    statements: list[dict[str, JsonValue]] = Field(max_length=MOST_STATEMENTS)


class AgentTaken(BaseModel):
    agent: dict[str, JsonValue]
    taken: bool
    reason: str | None = None


class Refused(BaseModel):
    """`line`: in this part, from 0."""

    line: int
    reason: str


class PartTaken(BaseModel):
    identifiers: list[AgentTaken]
    accepted: int
    not_recorded: int
    refused: list[Refused]


@dataclass(frozen=True, slots=True)
class _Target:
    tenant: str
    learner: str
    who: Who


@router.post("/{learner_id}/records")
async def take(
    learner_id: UUID,
    body: Part,
    request: Request,
    caller: Annotated[Principal, Depends(require(Role.service, services=("learner_profile",)))],
) -> PartTaken:
    """Store statements of a record as imported. Repeatable. 404 where nobody knows the learner."""
    state, target = state_of(request), _Target(caller.tenant, str(learner_id), Who.of(caller))
    if await state.known_identities.belongings(target.tenant, target.learner) is None:
        raise NotFound("Nothing is known of this learner")
    identifiers = [await _adopted(target, agent, f"/agents/{n}", state) for n, agent in enumerate(body.agents)]
    found, rejected, repeated = lines.read(b"\n".join(map(orjson.dumps, body.statements)))
    own = set((await state.merging.view.group(target.tenant, target.learner)).everyone)
    allowed = [line for line in found if await _is_about(line, own, target, state)]
    others = [Rejected(line=one.number, pointer="", detail=OTHERS) for one in found if one not in allowed]
    taken = await record_runs(state.recorder, importing(target.tenant), allowed, None, imported_from=body.issuer)
    refused = sorted([*rejected, *others, *taken.rejected], key=lambda one: one.line)
    return PartTaken(
        identifiers=identifiers,
        accepted=taken.accepted + repeated,
        not_recorded=taken.not_recorded,
        refused=[Refused(line=one.line, reason=f"{one.pointer} {one.detail}".strip()) for one in refused],
    )


async def _adopted(target: _Target, agent: dict[str, Any], place: str, state: State) -> AgentTaken:
    try:
        ifi = identifier(agent, place)
    except StatementInvalid as error:
        problems = [{"pointer": problem.path, "detail": problem.reason} for problem in error.errors]
        raise BadRequest("An identifier of the record is none", errors=problems) from None
    taken = await state.merging.adopt(target.tenant, ifi, target.learner, target.who)
    return AgentTaken(agent=agent, taken=taken, reason=None if taken else KNOWN)


async def _is_about(line: Line, own: set[str], target: _Target, state: State) -> bool:
    """Whether all whom the statement is about are the learner."""
    found = [await state.identities.look_up(target.tenant, ifi, cached=True) for ifi in learners_of(line.parsed.raw)]
    return bool(found) and all(one is not None and one.learner in own for one in found)

"""HTTP in: one signal of a learner, and a teacher's word on it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from service_kit.audit import Audits
from service_kit.auth import Principal
from service_kit.problems import BadRequest

from learner_profile.estimates.said import IN_PARTS, Aside, Signal
from learner_profile.estimates.schemas import SetAside
from learner_profile.learners.access import built_profile, own
from learner_profile.learners.parameters import AsOf, Learner, Reader, Teacher
from learner_profile.learners.schemas import SignalOut
from learner_profile.learners.standing import PURPOSE
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["signals"])

Which = Annotated[Signal, Path(description="which signal (docs/guides/signals.md)")]


@router.get("/me/signals/{signal}")
async def my_signal(principal: Learner, signal: Which, state: StateDep, as_of: AsOf = None) -> SignalOut:
    """One signal of the learner who holds the token."""
    return await _signal(principal, own(principal), signal, state, as_of)


@router.get("/{learner_id}/signals/{signal}")
async def signal_of(
    principal: Reader, learner_id: UUID, signal: Which, state: StateDep, audit: Audits, as_of: AsOf = None
) -> SignalOut:
    """One signal of a learner: the model's figure, and all that teachers said of it."""
    found = await _signal(principal, str(learner_id), signal, state, as_of)
    await audit.seen(principal, "signal", str(learner_id), ground=PURPOSE)
    return found


@router.put("/{learner_id}/signals/{signal}/set-aside")
async def set_aside(principal: Teacher, learner_id: UUID, signal: Which, said: SetAside, state: StateDep) -> SignalOut:
    """Set a signal aside, or a single interest or strength, with the reason. For a teacher of the learner.

    The learner sees it beside the model's figure; recommendations and other services no longer get it.
    """
    return await _say(principal, str(learner_id), signal, said, state, aside=True)


@router.delete("/{learner_id}/signals/{signal}/set-aside")
async def take_back(principal: Teacher, learner_id: UUID, signal: Which, said: SetAside, state: StateDep) -> SignalOut:
    """Let it count again, with the reason; the history keeps both. 404 where it is not set aside."""
    return await _say(principal, str(learner_id), signal, said, state, aside=False)


async def _signal(
    principal: Principal, learner: str, signal: Signal, state: State, as_of: datetime | None
) -> SignalOut:
    profile = await built_profile(principal, learner, state)
    return SignalOut.of(signal, profile, await state.placing(profile, as_of or state.clock()))


async def _say(
    principal: Principal, learner: str, signal: Signal, said: SetAside, state: State, *, aside: bool
) -> SignalOut:
    if said.about is not None and signal not in IN_PARTS:
        raise BadRequest("This signal has no single parts", errors=[{"pointer": "/about", "detail": "leave it out"}])
    profile = await built_profile(principal, learner, state, by_itself=False, others=())
    now = state.clock()
    word = Aside(signal=signal, about=said.about, at=now, by=principal.subject, reason=said.reason, aside=aside)
    await state.overruler.say(principal, profile.learner, word)
    return SignalOut.of(signal, profile, await state.placing(profile, now))

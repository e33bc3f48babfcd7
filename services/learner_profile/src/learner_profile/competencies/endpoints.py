"""HTTP in: one competency of a learner."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from service_kit.audit import Audits
from service_kit.auth import Principal
from service_kit.problems import NotFound

from learner_profile.competencies.growth import MOST, growth
from learner_profile.competencies.schemas import GrowthOut, PageOut
from learner_profile.estimates.said import Said, overrulings
from learner_profile.estimates.schemas import Estimate
from learner_profile.evidence.mapping import looked_up
from learner_profile.judgements.schemas import Said as Reasoned
from learner_profile.learners import persons
from learner_profile.learners.access import built_profile, open_profile, own
from learner_profile.learners.parameters import AsOf, Competency, Learner, Reader, Teacher
from learner_profile.learners.placing import Placed
from learner_profile.learners.standing import PURPOSE
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["competencies"])

_OF: Final = "/competencies/{competency_id:path}"
Points = Annotated[int, Query(ge=1, le=MOST, description="at most so many points, evenly spread over the evidence")]


@router.get(f"/me{_OF}/growth")
async def my_growth(
    principal: Learner, competency_id: Competency, state: StateDep, as_of: AsOf = None, points: Points = 100
) -> GrowthOut:
    """How a competency of the learner who holds the token grew."""
    return await _growth(principal, own(principal), competency_id, state, as_of, points)


@router.get("/{learner_id}" + _OF + "/growth")
async def growth_of(
    principal: Reader,
    learner_id: UUID,
    competency_id: Competency,
    state: StateDep,
    audit: Audits,
    as_of: AsOf = None,
    points: Points = 100,
) -> GrowthOut:
    """The growth curve of a competency: after each piece of evidence what was thought of it, with a 90 % interval.

    It is reckoned from the evidence anew. Where there are no responses on the competency itself it is followed through
    its parts. 404 where there is no evidence.
    """
    found = await _growth(principal, str(learner_id), competency_id, state, as_of, points)
    await audit.seen(principal, "growth", str(learner_id), ground=PURPOSE)
    return found


@router.put("/{learner_id}" + _OF + "/estimate")
async def overrule(
    principal: Teacher, learner_id: UUID, competency_id: Competency, said: Estimate, state: StateDep
) -> PageOut:
    """Put the own judgement in the place of the model's figure, with the reason. For a teacher of the learner.

    The learner sees it beside the model's own figure, and recommendations follow it, until enough evidence has come.
    """
    return await _say(principal, str(learner_id), competency_id, state, said.reason, said.probability)


@router.delete("/{learner_id}" + _OF + "/estimate")
async def take_back(
    principal: Teacher, learner_id: UUID, competency_id: Competency, said: Reasoned, state: StateDep
) -> PageOut:
    """Take back what a teacher said, with the reason; the history keeps both. 404 where nothing was said."""
    return await _say(principal, str(learner_id), competency_id, state, said.reason, None)


@router.get(f"/me{_OF}")
async def my_page(principal: Learner, competency_id: Competency, state: StateDep, as_of: AsOf = None) -> PageOut:
    """One competency of the learner who holds the token."""
    return await _page(principal, own(principal), competency_id, state, as_of)


@router.get("/{learner_id}" + _OF)
async def page(
    principal: Reader,
    learner_id: UUID,
    competency_id: Competency,
    state: StateDep,
    audit: Audits,
    as_of: AsOf = None,
) -> PageOut:
    """One competency of a learner: the model's figure, where it comes from, and what teachers say of it.

    404 where it stands in no framework and nothing is known of it.
    """
    found = await _page(principal, str(learner_id), competency_id, state, as_of)
    await audit.seen(principal, "competency", str(learner_id), ground=PURPOSE)
    return found


async def _page(principal: Principal, learner: str, competency: str, state: State, as_of: datetime | None) -> PageOut:
    profile = await built_profile(principal, learner, state)
    return _shown(competency, await state.placing(profile, as_of or state.clock(), [competency]))


async def _growth(
    principal: Principal, learner: str, competency: str, state: State, as_of: datetime | None, points: int
) -> GrowthOut:
    profile, everyone = await open_profile(principal, learner, state)
    now = as_of or state.clock()
    placed = await state.placing(profile, now, [competency])
    made = await persons.read(principal.tenant, everyone, state.evidence, state.bases)
    rows = made.rows
    catalog = await state.activities.mapped(principal.tenant, looked_up(row.reading for row in rows))
    grown = partial(growth, rows, catalog, competency, placed.around.frameworks, now, points, base=made.base)
    found = await state.shelf.in_thread(principal.tenant, [row.reading.stored for row in rows], grown)
    if not found.points:
        raise NotFound("There is no evidence on this competency")
    return GrowthOut.of(competency, found, placed.titles, now)


async def _say(
    principal: Principal, learner: str, competency: str, state: State, reason: str, probability: float | None
) -> PageOut:
    profile = await built_profile(principal, learner, state, by_itself=False, others=())
    now = state.clock()
    placed = await state.placing(profile, now, [competency])
    _shown(competency, placed)
    said = Said(
        competency=competency,
        at=now,
        by=principal.subject,
        reason=reason,
        probability=probability,
        evidence_count=placed.placement.responses(competency),
    )
    history = await state.overruler.say(principal, profile.learner, said)
    said_now = replace(placed.placement, said=overrulings(history))
    return _shown(competency, replace(placed, placement=said_now, history=history))


def _shown(competency: str, placed: Placed) -> PageOut:
    found = PageOut.of(competency, placed)
    if found is None:
        raise NotFound("Nothing is known of this competency")
    return found

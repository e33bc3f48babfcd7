"""HTTP in: what next, and why."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from service_kit import metrics
from service_kit.audit import Audits
from service_kit.auth import Principal, Role, require
from service_kit.consent import Standing
from service_kit.problems import BadRequest, Forbidden
from xapi.durations import seconds

from recommendation.learners.repository import HeldProfile
from recommendation.recommendations.offers import Catalog, Means
from recommendation.recommendations.ranking import recommend
from recommendation.recommendations.reasons import Names, because, reasons
from recommendation.recommendations.schemas import Item, ReasonOut, Recommendations
from recommendation.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["recommendations"])

PURPOSES: Final = ("profile", "recommend")
_served = metrics.counter(metrics.RECOMMENDATIONS_SERVED)

Limit = Annotated[int, Query(ge=1, le=50)]
AsOf = Annotated[AwareDatetime | None, Query(description="when forgetting is reckoned; now where left out")]


def _means(
    language: Annotated[str | None, Query(max_length=35)] = None,
    bandwidth: Annotated[
        str | None, Query(max_length=35, description="what the learner has: low, medium, high")
    ] = None,
    modality: Annotated[list[str] | None, Query(max_length=10)] = None,
    max_duration: Annotated[str | None, Query(max_length=35, description="ISO 8601, such as PT30M")] = None,
) -> Means:
    """The learner's means, from the query."""
    return Means(
        language=language,
        bandwidth=bandwidth,
        modalities=frozenset(name.lower() for name in modality or ()),
        max_seconds=_seconds(max_duration),
    )


def _seconds(duration: str | None) -> float | None:
    try:
        return None if duration is None else seconds(duration)
    except ValueError as error:
        raise BadRequest("Wrong input at max_duration", errors=[_place(error)]) from None


def _place(error: ValueError) -> dict[str, str]:
    return {"parameter": "max_duration", "in": "query", "detail": str(error)}


MeansDep = Annotated[Means, Depends(_means)]


@router.get("/me/recommendations")
async def mine(
    principal: Annotated[Principal, Depends(require(Role.learner))],
    state: StateDep,
    means: MeansDep,
    limit: Limit = 10,
    as_of: AsOf = None,
) -> Recommendations:
    """What the holder of the token may do next."""
    if principal.learner_id is None:
        raise Forbidden("The bearer token names no learner")
    return await _answer(state, principal.tenant, principal.learner_id, means, limit, as_of)


@router.get("/{learner_id}/recommendations")
async def of_learner(
    learner_id: UUID,
    principal: Annotated[Principal, Depends(require(Role.app, Role.learner))],
    state: StateDep,
    audit: Audits,
    means: MeansDep,
    limit: Limit = 10,
    as_of: AsOf = None,
) -> Recommendations:
    """What a learner may do next. One of whom nothing is known yet gets good places to start."""
    group = await state.merges.group(principal.tenant, str(learner_id))
    if not any(principal.may_see(one, Role.app) for one in group.everyone):
        raise Forbidden("A learner's token opens that learner's own recommendations alone")
    found = await _answer(state, principal.tenant, str(learner_id), means, limit, as_of)
    await audit.seen(principal, "recommendations", str(learner_id), ground="recommend")
    return found


async def _answer(
    state: State, tenant: str, learner: str, means: Means, limit: int, as_of: datetime | None
) -> Recommendations:
    standing, catalog = await asyncio.gather(state.consents.standing(tenant, learner), state.held.get(tenant))
    _check(standing)
    learner = standing.group.root if standing.group else learner
    profile = await state.learners.get(tenant, learner)
    _served.add(1)
    at = (as_of or state.clock()).astimezone(UTC)
    return recommendations_of(learner, catalog, profile or HeldProfile(), at, means, limit)


def _check(standing: Standing) -> None:
    for purpose in PURPOSES:
        if not standing.allows(purpose):
            raise Forbidden(f"The purpose `{purpose}` is not allowed for this learner")


def recommendations_of(
    learner: str, catalog: Catalog, profile: HeldProfile, as_of: datetime, means: Means, limit: int
) -> Recommendations:
    chosen, knowledge = recommend(catalog, profile.state, as_of, means, limit, profile.said)
    names = Names(catalog, profile.titles or {})
    items = []
    for candidate in chosen:
        why = reasons(candidate, knowledge, names)
        items.append(
            Item(
                activity=candidate.offer.activity,
                score=round(candidate.score, 4),
                because=because(why),
                reasons=[ReasonOut(code=r.code, text=r.text, data=dict(r.data)) for r in why],
            )
        )
    return Recommendations(learner_id=learner, as_of=as_of, reflects=profile.reflects, items=items)

"""HTTP in: a learner's model and timeline, for the learner, guardians, teachers of the class, apps and the DPO."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter
from learner_model.state import microseconds
from pydantic import AwareDatetime
from service_kit.audit import Audits
from service_kit.auth import Principal
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, NotFound

from learner_profile.evidence.mapping import looked_up
from learner_profile.learners import persons
from learner_profile.learners.access import built_profile, open_profile, own
from learner_profile.learners.explaining import explain
from learner_profile.learners.languages import Language
from learner_profile.learners.parameters import AsOf, Competency, InLanguage, Learner, Limit, Reader
from learner_profile.learners.schemas import EvidenceOut, LearnerOut
from learner_profile.learners.standing import PURPOSE
from learner_profile.learners.why import WhyOut
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["learners"])


@router.get("/me")
async def my_model(principal: Learner, state: StateDep, as_of: AsOf = None) -> LearnerOut:
    """The model of the learner who holds the token."""
    return await _model(principal, own(principal), state, as_of)


@router.get("/me/timeline")
async def my_timeline(
    principal: Learner, state: StateDep, limit: Limit = 50, cursor: str | None = None
) -> Page[EvidenceOut]:
    """The evidence about the learner who holds the token, newest first."""
    return await _timeline(principal, own(principal), state, limit, cursor)


@router.get("/me/competencies/{competency_id:path}/why")
async def my_why(
    principal: Learner,
    competency_id: Competency,
    state: StateDep,
    language: InLanguage,
    as_of: AsOf = None,
    limit: Limit = 20,
) -> WhyOut:
    """Why a number of the learner who holds the token is what it is."""
    return await _why(principal, own(principal), competency_id, state, as_of, limit, language)


@router.get("/{learner_id}/competencies/{competency_id:path}/why")
async def why(
    principal: Reader,
    learner_id: UUID,
    competency_id: Competency,
    state: StateDep,
    audit: Audits,
    language: InLanguage,
    as_of: AsOf = None,
    limit: Limit = 20,
) -> WhyOut:
    """Why the number of a competency is what it is: the shares that make it up, and the statements behind them.

    Its words are in the language that the header Accept-Language asks for: English, German, French or Spanish.

    `competency_id` is percent-encoded. It is reckoned from the evidence anew, and so also tells of what came a moment
    ago. 404 where nothing is known of the learner or of the competency.
    """
    found = await _why(principal, str(learner_id), competency_id, state, as_of, limit, language)
    await audit.seen(principal, "why", str(learner_id), ground=PURPOSE)
    return found


@router.get("/{learner_id}")
async def model(principal: Reader, learner_id: UUID, state: StateDep, audit: Audits, as_of: AsOf = None) -> LearnerOut:
    """What is known of the learner: competencies, interests, pace, strengths.

    403 while the purpose `profile` is stopped, 404 where nothing is known, 503 until the tenant's policy has arrived.
    """
    found = await _model(principal, str(learner_id), state, as_of)
    await audit.seen(principal, "profile", str(learner_id), ground=PURPOSE)
    return found


@router.get("/{learner_id}/timeline")
async def timeline(
    principal: Reader, learner_id: UUID, state: StateDep, audit: Audits, limit: Limit = 50, cursor: str | None = None
) -> Page[EvidenceOut]:
    """The evidence about the learner, newest first."""
    found = await _timeline(principal, str(learner_id), state, limit, cursor)
    await audit.seen(principal, "timeline", str(learner_id), ground=PURPOSE)
    return found


async def _model(principal: Principal, learner: str, state: State, as_of: AwareDatetime | None) -> LearnerOut:
    profile = await built_profile(principal, learner, state)
    return LearnerOut.of(profile, await state.placing(profile, as_of or state.clock()))


async def _why(
    principal: Principal,
    learner: str,
    competency: str,
    state: State,
    as_of: AwareDatetime | None,
    limit: int,
    language: Language,
) -> WhyOut:
    profile, everyone = await open_profile(principal, learner, state)
    made = await persons.read(principal.tenant, everyone, state.evidence, state.bases)
    rows = made.rows
    catalog = await state.activities.mapped(principal.tenant, looked_up(row.reading for row in rows))
    now = as_of or state.clock()
    placed = await state.placing(profile, now, [competency])
    told = partial(explain, rows, catalog, competency, now, base=made.base, frameworks=placed.around.frameworks)
    found = await state.shelf.in_thread(principal.tenant, [row.reading.stored for row in rows], told)
    shown = [*(step.row for step in found.most(limit)), *found.newest_aside(limit)]
    known = await state.activities.known(principal.tenant, looked_up(row.reading for row in shown))
    out = WhyOut.of(found, competency, placed, known, limit, language)
    if out is None:
        raise NotFound("Nothing is known of this competency")
    return out


async def _timeline(
    principal: Principal, learner: str, state: State, limit: int, cursor: str | None
) -> Page[EvidenceOut]:
    _, everyone = await open_profile(principal, learner, state)
    rows = await state.evidence.timeline(principal.tenant, everyone, _place(cursor), limit + 1)
    page, more = rows[:limit], len(rows) > limit
    catalog = await state.activities.known(principal.tenant, looked_up(row.reading for row in page))
    last = page[-1].reading if more else None
    following = encode_cursor([microseconds(last.at), last.statement_id]) if last else None
    return Page(items=[EvidenceOut.of(row, catalog) for row in page], next=following)


def _place(cursor: str | None) -> tuple[int, str] | None:
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    at_us, statement = key
    if not isinstance(at_us, int) or not isinstance(statement, str):
        raise BadRequest(
            "`cursor` is not one that this list has given", errors=[{"parameter": "cursor", "in": "query"}]
        )
    return at_us, statement

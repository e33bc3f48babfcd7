"""What a learner may do next, best first. Pure: the same state, catalog, means and time give the same list.

An activity is a candidate when its prerequisites are met, the learner has the means, and it has something to give: a
competency that is not mastered, or one that was and has faded (a due review). What is done comes back as a review
alone.

The score is the expected learning gain: the room left in the activity's competencies, weighted by how well its
difficulty suits. Most is learnt where one succeeds often but not always, in the zone of proximal development (Vygotsky
1978, "Mind in Society", ch. 6; for the share of successes: Wilson, Shenhav, Straccia & Cohen 2019, "The Eighty Five
Percent Rule for optimal learning", Nature Communications 10:4646, and Eggen & Verschoor 2006, "Optimal testing with
easy or difficult items in computerized adaptive testing", Applied Psychological Measurement 30:379-393). Fading
competencies, core activities, interests and disciplines not tried yet add to it.

The list is put together one by one, each the best of those left minus its likeness to those already taken (maximal
marginal relevance: Carbonell & Goldstein 1998, SIGIR, 335-336), with the balance of core and elective kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import Final

from learner_model import LearnerState, Outcome
from learner_model.overruling import Overruling

from recommendation.recommendations.knowledge import Knowledge
from recommendation.recommendations.offers import Catalog, Means, Offer

ZONE: Final = (0.6, 0.8)
ZONE_WIDTH: Final = 0.2
_FORMATS: Final = "audio exam exercise lesson project quiz simulation test text video worksheet"
FORMATS: Final = frozenset(_FORMATS.split())
"""Tags that say how something is learnt; an interest is in what it is about."""
INTERESTED: Final = 0.4
"""More than one choice: the strongest single one gives 0.35 (see `learner_model.interests`)."""

REVIEW_WORTH: Final = 0.35
BEGUN_WORTH: Final = 0.2
"""What is begun comes before what is new: many things begun at once fade faster than they grow."""
CORE_WORTH: Final = 0.1
INTEREST_WORTH: Final = 0.3
EXPLORE_WORTH: Final = 0.15
FAILED_JUST_NOW: Final = 0.1
NO_COMPETENCY_ROOM: Final = 0.3
HIGHEST: Final = 1.0 + max(REVIEW_WORTH, BEGUN_WORTH) + CORE_WORTH + INTEREST_WORTH + EXPLORE_WORTH

VARIETY: Final = 0.25
CORE_SHARE: Final = 0.6
BALANCE: Final = 0.1
EXPLORE_EVERY: Final = 5
POOL: Final = 80
_NOTHING_SAID: Final[Mapping[str, Overruling]] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer with what speaks for it. `score` lies between 0 and 1."""

    offer: Offer
    score: float
    success: float
    due: tuple[str, ...]
    open: tuple[str, ...]
    interest: str | None
    explores: bool


def recommend(
    catalog: Catalog,
    state: LearnerState | None,
    as_of: datetime,
    means: Means,
    limit: int,
    said: Mapping[str, Overruling] = _NOTHING_SAID,
) -> tuple[list[Candidate], Knowledge]:
    """The list, and what is known of the learner, from which the reasons are told. `said`: by teachers."""
    knowledge = Knowledge(state, as_of, catalog.frameworks, said)
    return arrange(candidates(catalog, knowledge, means), limit), knowledge


def candidates(catalog: Catalog, knowledge: Knowledge, means: Means) -> list[Candidate]:
    """Whatever the learner could do now with some gain, best first."""
    tried = knowledge.tried_disciplines(catalog.offers)
    found = (_candidate(offer, knowledge, tried) for offer in catalog.offers if means.suit(offer))
    return sorted((c for c in found if c is not None), key=_best_first)


def arrange(found: Sequence[Candidate], limit: int) -> list[Candidate]:
    """The list for the learner: good, varied, balanced."""
    left, taken = _pool(found, limit), list[Candidate]()
    likeness = dict.fromkeys((c.offer.id for c in left), 0.0)
    while left and len(taken) < limit:
        want_core = sum(c.offer.activity.core for c in taken) < CORE_SHARE * (len(taken) + 1)
        best = min(_turn(left, taken), key=lambda c: (-_marginal(c, likeness[c.offer.id], want_core), c.offer.id))
        left.remove(best)
        taken.append(best)
        for c in left:
            likeness[c.offer.id] = max(likeness[c.offer.id], alike(c.offer, best.offer))
    return taken


def zone(success: float) -> float:
    """How well a chance of success suits learning: 1 inside the zone, falling on both sides."""
    low, high = ZONE
    away = max(low - success, 0.0, success - high)
    return exp(-((away / ZONE_WIDTH) ** 2))


def alike(one: Offer, other: Offer) -> float:
    """From 0 to 1: half for the discipline, half for the competencies they share."""
    either = one.teaches | other.teaches
    shared = len(one.teaches & other.teaches) / len(either) if either else 0.0
    return 0.5 * (one.discipline != "" and one.discipline == other.discipline) + 0.5 * shared


def _candidate(offer: Offer, knowledge: Knowledge, tried: frozenset[str]) -> Candidate | None:
    if not knowledge.met(offer):
        return None
    levels = [(c, knowledge.level(c)) for c in offer.activity.competencies]
    due = tuple(c for c, level in levels if level.due)
    not_mastered = tuple(c for c, level in levels if not level.mastered)
    nothing_to_give = bool(levels) and not not_mastered
    if nothing_to_give or (knowledge.done(offer) and not due):
        return None
    success = knowledge.success(not_mastered, offer.activity.difficulty)
    interest = _interest(offer, knowledge)
    explores = knowledge.known and offer.discipline != "" and offer.discipline not in tried
    room = [1.0 - knowledge.level(c).probability for c in not_mastered] or [NO_COMPETENCY_ROOM]
    worth = (
        sum(room) / len(room) * zone(success)
        + (REVIEW_WORTH if due else BEGUN_WORTH * any(knowledge.level(c).tried for c in not_mastered))
        + CORE_WORTH * offer.activity.core
        + INTEREST_WORTH * (knowledge.interests[interest] if interest else 0.0)
        + EXPLORE_WORTH * explores
        - FAILED_JUST_NOW * (knowledge.outcome(offer) is Outcome.FAILED)
    )
    return Candidate(offer, max(0.0, worth) / HIGHEST, success, due, not_mastered, interest, explores)


def _interest(offer: Offer, knowledge: Knowledge) -> str | None:
    """The strongest interest that the activity meets."""
    topics = (tag for tag in offer.activity.tags if tag.lower() not in FORMATS)
    met = [(s, t) for t in topics if (s := knowledge.interests.get(t, 0.0)) >= INTERESTED]
    return max(met)[1] if met else None


def _best_first(candidate: Candidate) -> tuple[float, str]:
    return (-candidate.score, candidate.offer.id)


def _pool(found: Sequence[Candidate], limit: int) -> list[Candidate]:
    """The best of all, of the electives and of what explores: enough to choose from, whatever the catalog's size."""
    size = max(POOL, 3 * limit)
    groups: list[Iterable[Candidate]] = [
        found,
        (c for c in found if not c.offer.activity.core),
        (c for c in found if c.explores),
    ]
    chosen: dict[str, Candidate] = {}
    for group, share in zip(groups, (size, size // 4, size // 4), strict=True):
        for c, _ in zip(group, range(share), strict=False):
            chosen[c.offer.id] = c
    return sorted(chosen.values(), key=_best_first)


def _turn(left: list[Candidate], taken: list[Candidate]) -> list[Candidate]:
    """Every fifth place, where none of the four before it explores, is for trying something new."""
    last = taken[-(EXPLORE_EVERY - 1) :]
    if len(last) == EXPLORE_EVERY - 1 and not any(c.explores for c in last):
        return [c for c in left if c.explores] or left
    return left


def _marginal(candidate: Candidate, likeness: float, want_core: bool) -> float:
    return candidate.score - VARIETY * likeness + BALANCE * (candidate.offer.activity.core == want_core)

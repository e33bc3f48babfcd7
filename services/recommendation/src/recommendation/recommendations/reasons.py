"""Why: each reason is true of the learner's state, in words that a child understands, and as data.

A reason's clause follows "because"; its text is the same clause as a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from learner_model import Outcome

from recommendation.recommendations.knowledge import Knowledge
from recommendation.recommendations.offers import Catalog
from recommendation.recommendations.ranking import ZONE, Candidate


class Code(StrEnum):
    """Kinds of reasons, the weightiest first."""

    due_review = "due_review"
    try_again = "try_again"
    teacher = "teacher"
    next_step = "next_step"
    start = "start"
    interest = "interest"
    explore = "explore"
    right_level = "right_level"
    core = "core"
    ready = "ready"


@dataclass(frozen=True, slots=True)
class Reason:
    code: Code
    clause: str
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        return f"{self.clause[:1].upper()}{self.clause[1:]}."


@dataclass(frozen=True)
class Names:
    """How things are called: the profile's titles of provisional competencies, else the catalog's, else the id."""

    catalog: Catalog
    titles: Mapping[str, str]

    def of(self, thing: str) -> str:
        return self.titles.get(thing) or self.catalog.name(thing)

    def all(self, things: Sequence[str]) -> str:
        """ "a", "a and b", "a, b and c"."""
        names = list(dict.fromkeys(self.of(thing) for thing in things))
        return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def reasons(candidate: Candidate, knowledge: Knowledge, names: Names) -> list[Reason]:
    """At least one, the weightiest first."""
    found = [
        _due_review(candidate, knowledge, names),
        _try_again(candidate, knowledge),
        _teacher(candidate, knowledge, names),
        *_steps(candidate, knowledge, names),
        _interest(candidate, knowledge),
        _explore(candidate),
        _right_level(candidate),
        _core(candidate),
    ]
    return [reason for reason in found if reason is not None] or [_ready(candidate)]


def because(found: Sequence[Reason]) -> str:
    """The two weightiest reasons in one clause."""
    return ", and ".join(reason.clause for reason in found[:2])


def _due_review(candidate: Candidate, knowledge: Knowledge, names: Names) -> Reason | None:
    if not candidate.due:
        return None
    competency = min(candidate.due, key=lambda c: (knowledge.level(c).probability - knowledge.level(c).bound, c))
    level, since = knowledge.level(competency), knowledge.due_since(competency)
    name = names.of(competency)
    return Reason(
        Code.due_review,
        f"you knew {name} and some of it may have faded since",
        {
            **_of(competency, knowledge, names),
            "before": round(level.before, 4),
            "threshold": level.bound,
            "due_at": since.isoformat() if since else None,
        },
    )


def _try_again(candidate: Candidate, knowledge: Knowledge) -> Reason | None:
    if knowledge.outcome(candidate.offer) is not Outcome.FAILED:
        return None
    return Reason(Code.try_again, "it did not work out last time and a second try often does", {"outcome": "failed"})


def _teacher(candidate: Candidate, knowledge: Knowledge, names: Names) -> Reason | None:
    """A teacher's word that something is not known yet."""
    said = [(level, c) for c in candidate.open if (level := knowledge.overruled(c)) is not None]
    if not said:
        return None
    _, competency = min(said)
    clause = f"your teacher thinks that {names.of(competency)} is worth more practice"
    return Reason(Code.teacher, clause, _of(competency, knowledge, names))


def _steps(candidate: Candidate, knowledge: Knowledge, names: Names) -> list[Reason]:
    """What it leads to: on with something begun, on from something known, or a first step."""
    begun = [c for c in candidate.open if knowledge.level(c).tried and c not in candidate.due]
    if begun:
        competency = max(begun, key=lambda c: (knowledge.level(c).probability, c))
        clause = f"you have begun with {names.of(competency)} and this brings you further"
        return [Reason(Code.next_step, clause, _of(competency, knowledge, names))]
    new = [c for c in candidate.open if not knowledge.level(c).tried]
    if not new:
        return []
    needs = [*candidate.offer.needs, *candidate.offer.needs_done]
    data = _of(new[0], knowledge, names) | {"prerequisites": _prerequisites(candidate, knowledge, names)}
    if not needs:
        return [Reason(Code.start, f"it is a good first step into {names.of(new[0])}", data)]
    verb = "know" if not candidate.offer.needs_done else "are done with"
    return [Reason(Code.next_step, f"you {verb} {names.all(needs)} and {names.of(new[0])} comes next", data)]


def _interest(candidate: Candidate, knowledge: Knowledge) -> Reason | None:
    tag = candidate.interest
    if tag is None:
        return None
    data = {"tag": tag, "strength": round(knowledge.interests[tag], 4)}
    return Reason(Code.interest, f"you have chosen {tag} more than once", data)


def _explore(candidate: Candidate) -> Reason | None:
    if not candidate.explores:
        return None
    tag = candidate.offer.discipline
    return Reason(Code.explore, f"you have not tried {tag} yet and might be good at it", {"tag": tag})


def _right_level(candidate: Candidate) -> Reason | None:
    low, high = ZONE
    if not low <= candidate.success <= high:
        return None
    return Reason(
        Code.right_level, "it is neither too easy nor too hard for you", {"success": round(candidate.success, 4)}
    )


def _core(candidate: Candidate) -> Reason | None:
    if not candidate.offer.activity.core:
        return None
    return Reason(Code.core, "it is part of what everyone in your course learns", {"core": True})


def _ready(candidate: Candidate) -> Reason:
    if candidate.offer.activity.prerequisites:
        clause = "you have done what comes before it"
    else:
        clause = "you need not know anything before you begin"
    return Reason(Code.ready, clause, {"prerequisites": list(candidate.offer.activity.prerequisites)})


def _of(competency: str, knowledge: Knowledge, names: Names) -> dict[str, Any]:
    return {
        "competency": competency,
        "name": names.of(competency),
        "probability": round(knowledge.level(competency).probability, 4),
    }


def _prerequisites(candidate: Candidate, knowledge: Knowledge, names: Names) -> list[dict[str, Any]]:
    known = [_of(competency, knowledge, names) for competency in candidate.offer.needs]
    return known + [{"activity": a, "name": names.of(a), "done": True} for a in candidate.offer.needs_done]

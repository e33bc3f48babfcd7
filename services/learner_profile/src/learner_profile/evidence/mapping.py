"""Which competencies a piece of evidence counts towards: the catalog's, else those that its statement names, else a
provisional one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from events.payloads import CatalogActivity
from learner_model import Evidence
from xapi import durations

from learner_profile.evidence.reading import Reading


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the fold needs of a catalog activity. `competencies`: each with its weight."""

    competencies: tuple[tuple[str, float], ...] = ()
    difficulty: float | None = None
    expected_seconds: float | None = None
    tags: tuple[str, ...] = ()


def mapped(activity: CatalogActivity) -> Mapped:
    """The part of a catalog activity that changes states; a duration that cannot be read counts as none."""
    return Mapped(
        competencies=tuple((one, activity.weights.get(one, 1.0)) for one in dict.fromkeys(activity.competencies)),
        difficulty=activity.difficulty,
        expected_seconds=_seconds(activity.duration),
        tags=tuple(dict.fromkeys(activity.tags)),
    )


def looked_up(readings: Iterable[Reading]) -> set[str]:
    """The activities whose mapping the readings need."""
    return {activity for reading in readings for activity in activities_of(reading)}


def activities_of(reading: Reading) -> tuple[str, ...]:
    """The activity and its parents: a question inherits from its quiz what the catalog says of that."""
    if not reading.parents:
        return (reading.activity_id,) if reading.activity_id else ()
    return tuple(dict.fromkeys(name for name in (reading.activity_id, *reading.parents) if name))


def evidence_of(reading: Reading, catalog: Mapping[str, Mapped]) -> Evidence:
    """The reading with what the catalog says now."""
    own = catalog.get(reading.activity_id, Mapped())
    known = next((one for name in activities_of(reading) if (one := catalog.get(name)) and one.competencies), None)
    provisional = False
    if known is not None:
        competencies = known.competencies
    elif reading.claims:
        competencies = tuple((claim.id, claim.weight) for claim in reading.claims)
    else:
        provisional = reading.course is not None
        competencies = ((reading.course.id, 1.0),) if reading.course is not None else ()
    return Evidence(
        statement_id=reading.statement_id,
        at=reading.at,
        stored=reading.stored,
        activity_id=reading.activity_id,
        verb_id=reading.verb_id,
        kind=reading.kind,
        competencies=competencies,
        provisional=provisional,
        correctness=reading.correctness,
        completion=reading.completion,
        duration_seconds=reading.duration_seconds,
        hints=reading.hints,
        watched=reading.watched,
        guessing=reading.guessing,
        expected_seconds=own.expected_seconds,
        difficulty=own.difficulty if own.difficulty is not None else (known.difficulty if known else None),
        tags=own.tags or (known.tags if known else ()) or reading.tags,
        weight=reading.weight,
    )


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        return durations.seconds(duration) or None
    except ValueError:
        return None

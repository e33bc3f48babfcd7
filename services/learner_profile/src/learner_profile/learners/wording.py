"""The words of an explanation, for learners and teachers: no term of the model, and numbers as points of 100."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling
from learner_profile.learners.explaining import Effect, Share, Step

_WHAT: Final[Mapping[Share, str]] = {
    Share.GENERAL: "How things go for this learner in general",
    Share.LATELY: "How the last answers went, whatever they were about,",
    Share.TIME: "Time without practice",
}
_ANSWERS: Final[Mapping[Effect, str]] = {
    Effect.RIGHT: "A right answer",
    Effect.PARTLY: "An answer that was right in part",
    Effect.WRONG: "A wrong answer",
    Effect.GROUP: "A result reached in a group",
    Effect.SEEN: "Looking at it",
}


def title_of(iri: str, titles: Mapping[str, str]) -> str:
    """The title that a statement gave; else the last part of the IRI, made readable."""
    return titles.get(iri) or unquote(iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1]).replace("-", " ")


def points(change: float) -> float:
    """Of 100, as it is shown."""
    return round(change * 100, 1)


def of_share(share: Share, change: float, answers: int) -> str:
    """One share in words: what it is, and which way it moved the number. `answers`: how many on the competency."""
    if share is Share.START:
        return f"For learners in general it begins at {points(change):g} of 100."
    if share is Share.OWN:
        on_it = "1 answer" if answers == 1 else f"{answers} answers"
        return f"What came of {on_it} on it {_moved(change)}."
    if share is Share.ABOVE:
        return f"How it went with what this is a part of {_moved(change)}, which says a little about each part."
    return f"{_WHAT[share]} {_moved(change)}."


def of_parts(level: float, known: int, children: int) -> str:
    """What a number that is rolled up is made of."""
    return (
        f"It is made of its {children} parts; those of which something is known, {known}, stand at {points(level):g}."
    )


def of_step(step: Step) -> str:
    """One piece of evidence in words."""
    words = f"{_ANSWERS[step.effect]} {_moved(step.change)}, to {points(step.after):g}."
    held = ruling(step.row.judgements)
    if held is None:
        return words
    if held.act is Act.OVERRIDDEN:
        return f"{words} A teacher's judgement stands in the place of the recorded result."
    return f"{words} A teacher has confirmed it."


def of_row_aside(row: Row) -> str:
    """Why a row does not count by itself."""
    if is_set_aside(row.judgements):
        held = ruling(row.judgements)
        contested = held is not None and held.act is Act.CONTESTED
        return "Contested: it waits for a teacher." if contested else "By a teacher's decision it does not count."
    if row.total:
        return "The result of the whole: its single answers count in its place."
    return "A running grade or a note: what it sums up counts in its place."


def _moved(change: float) -> str:
    shown = points(change)
    if shown == 0:
        return "left it where it was"
    return f"{'raised' if shown > 0 else 'lowered'} it by {abs(shown):g}"

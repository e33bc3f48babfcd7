"""The words of an explanation, for learners and teachers: no term of the model, and numbers as points of 100."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Final
from urllib.parse import unquote

from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling
from learner_profile.learners.explaining import Effect, Share, Step

FEW: Final = 5
"""Fewer answers make a rough guess."""
_WHAT: Final[Mapping[Share, str]] = {
    Share.GENERAL: "How it goes in all topics together",
    Share.LATELY: "How the last answers went, in any topic,",
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


def shared_points(changes: Sequence[float], total: float) -> list[float]:
    """The changes as they are shown, so that they add up to the total as it is shown: what rounding leaves over goes
    to those that it took most from (largest remainder).
    """
    tenths = [change * 1000 for change in changes]
    shown = [floor(one) for one in tenths]
    over = round(points(total) * 10) - sum(shown)
    order = sorted(range(len(shown)), key=lambda place: shown[place] - tenths[place])
    for place in order[: max(0, over)]:
        shown[place] += 1
    return [one / 10 for one in shown]


def of_share(share: Share, shown: float, answers: int) -> str:
    """One share in words: what it is, and by how many points it moved the number. `answers`: on the competency."""
    if share is Share.START:
        return f"Everyone begins at {shown:g} of 100."
    if share is Share.OWN:
        on_it = "The answer" if answers == 1 else f"The {answers} answers"
        return f"{on_it} on this topic {_moved(shown)}."
    if share is Share.ABOVE:
        return f"Answers on the larger topic around it {_moved(shown)}: they say a little about each part."
    return f"{_WHAT[share]} {_moved(shown)}."


def of_parts(level: float, known: int, children: int) -> str:
    """What a number that is rolled up is made of."""
    of_them = "All of them are known" if known == children else f"{known} of them {'is' if known == 1 else 'are'} known"
    return f"It consists of {children} part{'s' * (children > 1)}. {of_them} so far, and stand at {points(level):g}."


def of_own_part(level: float, answers: int) -> str:
    """What was answered on the whole itself, beside its parts."""
    on_it = "One answer was" if answers == 1 else f"{answers} answers were"
    return f"{on_it} about all of it together: that counts as one part more, and stands at {points(level):g}."


def of_number(probability: float, answers: int) -> str:
    """What the number is, at the end of its story."""
    words = f"That makes {points(probability):g}: so many of 100 questions like these would be answered right."
    return f"{words} It is a rough guess as yet, by so few answers." if answers < FEW else words


def of_step(step: Step) -> str:
    """One piece of evidence in words."""
    shown = points(step.change)
    words = f"{_ANSWERS[step.effect]} {_moved(shown)}, {'to' if shown else 'at'} {points(step.after):g}."
    held = ruling(step.row.judgements)
    if held is None:
        return words
    if held.act is Act.OVERRIDDEN:
        return f"{words} A teacher has corrected the result."
    return f"{words} A teacher has confirmed it."


def of_row_aside(row: Row) -> str:
    """Why a row does not count by itself."""
    if is_set_aside(row.judgements):
        held = ruling(row.judgements)
        contested = held is not None and held.act is Act.CONTESTED
        return "Said to be wrong: it waits for a teacher." if contested else "A teacher decided that it does not count."
    if row.total:
        return "The result of the whole: its single answers count in its place."
    return "A grade for several things together: the single results count in its place."


def _moved(shown: float) -> str:
    if shown == 0:
        return "left it where it was"
    return f"{'raised' if shown > 0 else 'lowered'} it by {abs(shown):g}"

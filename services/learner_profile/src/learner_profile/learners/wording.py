"""The words of an explanation, for learners and teachers: no term of the model, and numbers as points of 100."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling
from learner_profile.learners.explaining import Share, Step

_ONE: Final[Mapping[Share, str]] = {
    Share.RIGHT: "1 right answer",
    Share.PARTLY: "1 answer that was right in part",
    Share.WRONG: "1 wrong answer",
    Share.GROUP: "1 result reached in a group, which says a little about each member,",
    Share.SEEN: "looking at it once",
}
_MANY: Final[Mapping[Share, str]] = {
    Share.RIGHT: "{} right answers",
    Share.PARTLY: "{} answers that were right in part",
    Share.WRONG: "{} wrong answers",
    Share.GROUP: "{} results reached in groups, which say a little about each member,",
    Share.SEEN: "looking at it {} times",
}
_ANSWERS: Final[Mapping[Share, str]] = {
    Share.RIGHT: "A right answer",
    Share.PARTLY: "An answer that was right in part",
    Share.WRONG: "A wrong answer",
    Share.GROUP: "A result reached in a group",
    Share.SEEN: "Looking at it",
}


def title_of(iri: str, titles: Mapping[str, str]) -> str:
    """The title that a statement gave; else the last part of the IRI, made readable."""
    return titles.get(iri) or unquote(iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1]).replace("-", " ")


def points(change: float) -> float:
    """Of 100, as it is shown."""
    return round(change * 100, 1)


def of_share(share: Share, change: float, count: int) -> str:
    """One share in words: what it is, and which way it moved the number."""
    if share is Share.START:
        return f"It began at {points(change):g} of 100, from how things went in general until then."
    if share is Share.TIME:
        return f"Time without practice {_moved(change)}."
    if share is Share.ABOVE:
        return f"How it went with what this is a part of {_moved(change)}, which says a little about each part."
    if share is Share.ELSEWHERE:
        return f"Work on other things {_moved(change)}."
    what = _ONE[share] if count == 1 else _MANY[share].format(count)
    return f"{what[0].upper()}{what[1:]} {_moved(change)}."


def of_parts(level: float, known: int, children: int) -> str:
    """What a number that is rolled up is made of."""
    return (
        f"It is made of its {children} parts; those of which something is known, {known}, stand at {points(level):g}."
    )


def of_step(step: Step) -> str:
    """One piece of evidence in words."""
    words = f"{_ANSWERS[step.share]} {_moved(step.change)}, to {points(step.after):g}."
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

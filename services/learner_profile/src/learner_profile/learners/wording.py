"""The words of an explanation, for learners and teachers: no term of the model, and numbers as points of 100."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Final
from urllib.parse import unquote

from learner_model.overruling import Standing

from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling
from learner_profile.learners.explaining import Effect, Share, Step
from learner_profile.learners.languages import Counted, Language, Moved

FEW: Final = 5
"""Fewer answers make a rough guess."""


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


def of_share(share: Share, shown: float, answers: int, language: Language) -> str:
    """One share in words: what it is, and by how many points it moved the number. `answers`: on the competency."""
    match share:
        case Share.START:
            return language.start.format(points=decimal(shown, language))
        case Share.GENERAL:
            sentence = language.general
        case Share.LATELY:
            sentence = language.lately
        case Share.OWN:
            sentence = _counted(language.own, answers, language)
        case Share.TIME:
            sentence = language.time
        case Share.ABOVE:
            sentence = language.above
        case Share.PARTS:
            raise ValueError("a number that is rolled up is told by its parts")
    return sentence.format(count=answers, **_moved(shown, language))


def of_parts(level: float, known: int, children: int, language: Language) -> str:
    """What a number that is rolled up is made of."""
    made_of = _counted(language.parts, children, language).format(count=children)
    some = language.all_known if known == children else language.some_known
    return f"{made_of} {_counted(some, known, language).format(known=known, points=_points(level, language))}"


def of_part(title: str, level: float, of: int, language: Language) -> str:
    """One part among as many as are known."""
    return language.part.format(title=title, points=_points(level, language), count=of)


def of_own_part(level: float, answers: int, language: Language) -> str:
    """What was answered on the whole itself, beside its parts."""
    return _counted(language.own_part, answers, language).format(count=answers, points=_points(level, language))


def of_number(probability: float, answers: int, language: Language) -> str:
    """What the number is, at the end of its story."""
    words = language.number.format(points=_points(probability, language))
    return f"{words} {language.rough}" if answers < FEW else words


def of_step(step: Step, language: Language) -> str:
    """One piece of evidence in words."""
    shown = points(step.change)
    moved = _of_effect(step.effect, language).format(**_moved(shown, language))
    words = moved + (language.to if shown else language.at).format(points=_points(step.after, language))
    held = ruling(step.row.judgements)
    if held is None:
        return words
    return f"{words} {language.corrected if held.act is Act.OVERRIDDEN else language.confirmed}"


def of_row_aside(row: Row, language: Language) -> str:
    """Why a row does not count by itself."""
    if is_set_aside(row.judgements):
        held = ruling(row.judgements)
        return language.contested if held is not None and held.act is Act.CONTESTED else language.left_out
    return language.whole if row.total else language.several


def of_standing(standing: Standing, language: Language) -> str:
    """What became of a teacher's word on the number."""
    match standing:
        case Standing.HOLDS:
            return language.holds
        case Standing.DISPUTED:
            return language.disputed
        case Standing.LAPSED:
            return language.lapsed


def decimal(shown: float, language: Language) -> str:
    """Points with the language's decimal sign."""
    return f"{shown:g}".replace(".", language.decimal)


def _points(change: float, language: Language) -> str:
    return decimal(points(change), language)


def _of_effect(effect: Effect, language: Language) -> str:
    match effect:
        case Effect.RIGHT:
            return language.right
        case Effect.PARTLY:
            return language.partly
        case Effect.WRONG:
            return language.wrong
        case Effect.GROUP:
            return language.group
        case Effect.SEEN:
            return language.seen


def _counted(sentence: Counted, count: int, language: Language) -> str:
    return sentence.one if count in language.one else sentence.more


def _moved(shown: float, language: Language) -> dict[str, str]:
    by = decimal(abs(shown), language)
    return {
        "moved": _way(language.moved, shown).format(points=by),
        "all_moved": _way(language.all_moved, shown).format(points=by),
    }


def _way(moved: Moved, shown: float) -> str:
    if shown == 0:
        return moved.left
    return moved.raised if shown > 0 else moved.lowered

"""The geometry of the charts; the templates draw them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from insights.reports.schemas import Child, Figure, Gap, Group

WIDTH: Final = 1020
LABEL: Final = 250
PLOT: Final = 710
RIGHT: Final = 60
BAR_ROW: Final = 46
DOT_ROW: Final = 34
TOP: Final = 30
MOST_BARS: Final = 40
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
LONGEST_LABEL: Final = 30


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One share as a mark: `width` None where there is nothing to draw, and `label` says why."""

    width: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    y: int
    label: str
    title: str
    href: str | None
    mastery: Measure
    idle: Measure


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars for the parts of a scope, the lowest mean mastery first. `left_out` have no place in it."""

    height: int
    ticks: list[Tick]
    bars: list[Bar]
    left_out: int


@dataclass(frozen=True, slots=True)
class Dot:
    y: int
    label: str
    title: str
    x: float | None
    value: str


@dataclass(frozen=True, slots=True)
class GapChart:
    """A dot for each group of an attribute, and the stretch from the lowest to the highest."""

    height: int
    ticks: list[Tick]
    dots: list[Dot]
    low: float | None
    high: float | None


def percent(value: float | int | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def hidden_or_none(figure: Figure) -> str:
    return "not shown" if figure.suppressed else "no data"


def ticks() -> list[Tick]:
    return [Tick(round(at * PLOT, 1), percent(at)) for at in TICKS]


def bar_chart(children: Sequence[Child]) -> BarChart:
    ordered = sorted(children, key=_by_mastery)[:MOST_BARS]
    bars = [_bar(i, child) for i, child in enumerate(ordered)]
    return BarChart(TOP + BAR_ROW * len(bars) + 8, ticks(), bars, len(children) - len(bars))


def gap_chart(gap: Gap) -> GapChart:
    dots = [_dot(i, group) for i, group in enumerate(gap.groups)]
    drawn = [dot.x for dot, group in zip(dots, gap.groups, strict=True) if dot.x is not None and group.value]
    spans = len(drawn) > 1
    return GapChart(
        TOP + DOT_ROW * len(dots) + 8, ticks(), dots, min(drawn) if spans else None, max(drawn) if spans else None
    )


def _by_mastery(child: Child) -> tuple[bool, float]:
    value = child.figures.mean_mastery.value
    return (value is None, 0.0 if value is None else float(value))


def _bar(number: int, child: Child) -> Bar:
    name = child.name or "In none of these"
    return Bar(
        y=TOP + BAR_ROW * number,
        label=_short(name),
        title=name,
        href=child.href,
        mastery=_measure(child.figures.mean_mastery),
        idle=_measure(child.figures.share_without_statement_14_days),
    )


def _measure(figure: Figure) -> Measure:
    if figure.value is None:
        return Measure(None, hidden_or_none(figure))
    return Measure(round(float(figure.value) * PLOT, 1), percent(figure.value))


def _dot(number: int, group: Group) -> Dot:
    name = group.value or "not given"
    figure = group.figures.mean_mastery
    x = None if figure.value is None else round(float(figure.value) * PLOT, 1)
    label = hidden_or_none(figure) if figure.value is None else percent(figure.value)
    return Dot(TOP + DOT_ROW * number + DOT_ROW // 2, _short(name), name, x, label)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"

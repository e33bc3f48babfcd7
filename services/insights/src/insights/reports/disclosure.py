"""What of a scope's figures may be shown: suppression carried down the way from the nation.

It is reckoned three times, each time hiding at least what the time before hid: by learners in the roster (all figures),
by those whose activity may be used (activity), by those who have a mastery (mean mastery). So a mean over 3 learners is
not shown either, however large their class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from insights.reports.figures import Tally
from insights.reports.suppression import Cell, hide, hide_table, small
from insights.reports.tallies import Node, Part, Way

Layer = Literal["learners", "counted", "evidenced"]
LAYERS: Final[tuple[Layer, ...]] = ("learners", "counted", "evidenced")
_NOBODY: Final = Tally()


@dataclass
class Disclosure:
    """Hidden in one layer: the scope itself, its parts, the values of its attributes."""

    scope: bool
    parts: frozenset[Part]
    values: dict[str, frozenset[str]] = field(default_factory=dict)


def disclose(way: Way) -> dict[Layer, Disclosure]:
    """What to hide of the last scope of the way."""
    found: dict[Layer, Disclosure] = {}
    before = [frozenset[Part]() for _ in way.nodes]
    tables: dict[tuple[str, int], frozenset[Cell]] = {}
    for layer in LAYERS:
        before, scope = _parts(way, layer, before)
        found[layer] = Disclosure(scope, before[-1])
        for name in way.attributes:
            found[layer].values[name] = _values(way, layer, name, before, tables)
    return found


def _parts(way: Way, layer: Layer, before: list[frozenset[Part]]) -> tuple[list[frozenset[Part]], bool]:
    """The hidden parts of each scope of the way, and whether the last scope is hidden itself."""
    hidden: list[frozenset[Part]] = []
    scope = small(_size(way.nodes[0].total, layer))
    for depth, node in enumerate(way.nodes):
        if depth:
            scope = Part(node.place) in hidden[-1]
        parts = node.ordered()
        if scope:
            hidden.append(frozenset(parts))
            continue
        already = [i for i, part in enumerate(parts) if part in before[depth]]
        sizes = [_size(node.parts[part], layer) for part in parts]
        chosen = hide(sizes, already, total=_size(node.total, layer))
        hidden.append(frozenset(parts[i] for i in chosen))
    return hidden, scope


def _values(
    way: Way, layer: Layer, name: str, parts: list[frozenset[Part]], tables: dict[tuple[str, int], frozenset[Cell]]
) -> frozenset[str]:
    """The hidden values of the last scope. `tables` holds what the layers before hid and is brought up to date."""
    values = way.attributes[name]
    top = way.nodes[0].total
    if small(_size(top, layer)):
        columns = frozenset(range(len(values)))
    else:
        already = [column for _, column in tables.get((name, -1), frozenset())]
        columns = hide(_sizes(top, name, values, layer), already)
    tables[name, -1] = frozenset((0, column) for column in columns)
    for depth, node in enumerate(way.nodes[:-1]):
        cells = _table(node, layer, name, values, parts[depth], columns, tables.get((name, depth), frozenset()))
        tables[name, depth] = cells
        row = node.ordered().index(Part(way.nodes[depth + 1].place))
        below = Part(way.nodes[depth + 1].place)
        columns = frozenset(range(len(values))) if below in parts[depth] else frozenset(c for r, c in cells if r == row)
    return frozenset(values[column] for column in columns)


def _table(
    node: Node,
    layer: Layer,
    name: str,
    values: list[str],
    hidden: frozenset[Part],
    columns: frozenset[int],
    already: frozenset[Cell],
) -> frozenset[Cell]:
    rows = node.ordered()
    return hide_table(
        [_sizes(node.parts[part], name, values, layer) for part in rows],
        already=already,
        open_rows={i for i, part in enumerate(rows) if part in hidden},
        open_columns=columns,
    )


def _sizes(total: Tally, name: str, values: list[str], layer: Layer) -> list[int]:
    groups: Mapping[str, Tally] = total.attributes.get(name, {})
    return [_size(groups.get(value, _NOBODY), layer) for value in values]


def _size(total: Tally, layer: Layer) -> int:
    size: int = getattr(total, layer)
    return size

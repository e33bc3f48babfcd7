"""What of a scope's figures may be shown: suppression carried down the way from the nation.

Scopes are reckoned three times, each time hiding at least what the time before hid: by learners in the roster (all
figures), by those whose activity may be used (activity), by those who have a mastery (mean mastery). So a mean over 3
learners is not shown either, however large their class, while the class itself is. The groups of an attribute are
shown or hidden as a whole, by all three counts at once.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final, Literal

from insights.reports.figures import Tally
from insights.reports.suppression import Cell, Size, hide, hide_table, small
from insights.reports.tallies import Node, Part, Way

Layer = Literal["learners", "counted", "evidenced"]
LAYERS: Final[tuple[Layer, ...]] = ("learners", "counted", "evidenced")
_NOBODY: Final = Tally()


@dataclass(frozen=True)
class Disclosure:
    """What to hide of a scope: in each layer the scope itself and its parts; the values of each attribute."""

    scope: Mapping[Layer, bool]
    parts: Mapping[Layer, Set[Part]]
    values: Mapping[str, Set[str]]


def disclose(way: Way) -> Disclosure:
    """What to hide of the last scope of the way."""
    scope: dict[Layer, bool] = {}
    parts: dict[Layer, list[frozenset[Part]]] = {}
    before = [frozenset[Part]() for _ in way.nodes]
    for layer in LAYERS:
        before, scope[layer] = _parts(way, layer, before)
        parts[layer] = before
    values = {name: _values(way, name, parts) for name in way.attributes}
    return Disclosure(scope, {layer: found[-1] for layer, found in parts.items()}, values)


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


def _values(way: Way, name: str, parts: Mapping[Layer, list[frozenset[Part]]]) -> frozenset[str]:
    """The hidden values of an attribute in the last scope."""
    values = way.attributes[name]
    top = way.nodes[0].total
    columns = frozenset(range(len(values)))
    if not small(_size(top, *LAYERS)):
        columns = hide(_sizes(top, name, values))
    for depth, node in enumerate(way.nodes[:-1]):
        cells = _table(node, name, values, {layer: found[depth] for layer, found in parts.items()}, columns)
        row = node.ordered().index(Part(way.nodes[depth + 1].place))
        columns = frozenset(column for r, column in cells if r == row)
    return frozenset(values[column] for column in columns)


def _table(
    node: Node, name: str, values: list[str], hidden: Mapping[Layer, Set[Part]], columns: Set[int]
) -> frozenset[Cell]:
    """The hidden cells of parts by values. A part that is hidden in some layer hides all its groups."""
    rows = node.ordered()
    sizes = [_sizes(node.parts[part], name, values) for part in rows]
    already = {
        (r, column)
        for r, part in enumerate(rows)
        if any(part in parts for parts in hidden.values())
        for column in range(len(values))
        if any(sizes[r][column])
    }
    open_rows = {r for r, part in enumerate(rows) if part in hidden["learners"]}
    return hide_table(sizes, already=already, open_rows=open_rows, open_columns=columns)


def _sizes(total: Tally, name: str, values: list[str]) -> list[Size]:
    groups: Mapping[str, Tally] = total.attributes.get(name, {})
    return [_size(groups.get(value, _NOBODY), *LAYERS) for value in values]


def _size(total: Tally, *layers: Layer) -> Size:
    return tuple(getattr(total, layer) for layer in layers)

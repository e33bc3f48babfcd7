"""Which figures must not be shown, so that nobody can be singled out by what is shown.

Primary suppression hides a cell of 1 to 9 learners. Secondary (complementary) suppression hides the next smallest
cells, so that a hidden one is not the difference between a total and its shown parts: in each line whose total is
shown, either nothing is hidden, or at least two cells of together at least 10 learners are. In a table of two
directions a hidden cell can still follow from several lines together; exactly the cells that lie on no circle of
hidden cells do (Gusfield 1988, "A graph theoretic approach to statistical data security", SIAM J. Comput. 17:552-571),
so more are hidden until each small cell lies on one. Where nothing else is left, an empty cell is hidden for cover:
it then looks like any other. What a hidden cell is made of is hidden as well.

A size has one or more counts (learners; those of them who add to a figure); each of them is kept by itself. All is by
counts, which do not vary with `as_of`: no two dates show different cells of the same data. Learners in several classes
are counted in each; a cell that leaves 1 to 9 learners of its total is hidden, too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from typing import Final

THRESHOLD: Final = 10

Size = tuple[int, ...]
Cell = tuple[int, int]  # row, column
Node = tuple[str, int]  # a line: its direction and number
_OPEN: Final[Node] = ("open", 0)


def small(size: Size, threshold: int = THRESHOLD) -> bool:
    """Whether a group is too small to be shown. Nobody is nobody's secret."""
    return any(0 < count < threshold for count in size)


def hide(
    sizes: Sequence[Size], already: Collection[int] = (), *, total: Size | None = None, threshold: int = THRESHOLD
) -> frozenset[int]:
    """The indexes to hide in one line whose total is shown; `already` are hidden for another reason.

    `total` counts every learner once; it may be under the sum where learners are in several parts.
    """
    hidden = {i for i, size in enumerate(sizes) if small(size, threshold)} | set(already)
    if total is not None:
        hidden |= {i for i, size in enumerate(sizes) if any(size) and small(_rest(total, size), threshold)}
    shown = sorted((not any(size), size, i) for i, size in enumerate(sizes) if i not in hidden)
    for *_, i in shown:
        if _enough([sizes[j] for j in hidden], threshold):
            break
        hidden.add(i)
    return frozenset(hidden)


def _rest(total: Size, part: Size) -> Size:
    return tuple(whole - count for whole, count in zip(total, part, strict=True))


def _enough(hidden: Sequence[Size], threshold: int) -> bool:
    sums = tuple(map(sum, zip(*hidden, strict=True)))
    return not hidden or (len(hidden) > 1 and any(sums) and not small(sums, threshold))


def hide_table(
    sizes: Sequence[Sequence[Size]],
    *,
    already: Set[Cell] = frozenset(),
    open_rows: Set[int] = frozenset(),
    open_columns: Set[int] = frozenset(),
    threshold: int = THRESHOLD,
) -> frozenset[Cell]:
    """The cells to hide in a table whose row and column totals are shown, but for those of the open ones.

    An open line is one whose total is hidden: all its cells are hidden, and its total helps nobody.
    """
    table = _Table(sizes, set(already), open_rows, open_columns, threshold)
    table.hide_primary()
    while table.complete_lines() or table.close_circles():
        pass
    return frozenset(table.hidden)


class _Table:
    def __init__(
        self,
        sizes: Sequence[Sequence[Size]],
        hidden: set[Cell],
        open_rows: Set[int],
        open_columns: Set[int],
        threshold: int,
    ) -> None:
        self.sizes = {(r, c): size for r, row in enumerate(sizes) for c, size in enumerate(row)}
        self.rows = range(len(sizes))
        self.columns = range(len(sizes[0]) if sizes else 0)
        self.hidden = hidden
        self._open = {("row", r) for r in open_rows} | {("column", c) for c in open_columns}
        self._threshold = threshold

    def hide_primary(self) -> None:
        for cell, size in self.sizes.items():
            if self._crosses_open(cell) or small(size, self._threshold):
                self.hidden.add(cell)

    def _crosses_open(self, cell: Cell) -> bool:
        return not self._open.isdisjoint({("row", cell[0]), ("column", cell[1])})

    def complete_lines(self) -> bool:
        """Complete each line by itself; whether anything was hidden."""
        before = len(self.hidden)
        for r in self.rows:
            if ("row", r) not in self._open:
                self._complete([(r, c) for c in self.columns])
        for c in self.columns:
            if ("column", c) not in self._open:
                self._complete([(r, c) for r in self.rows])
        return len(self.hidden) > before

    def _complete(self, line: Sequence[Cell]) -> None:
        already = [i for i, cell in enumerate(line) if cell in self.hidden]
        if all(not any(self.sizes[line[i]]) and self._crosses_open(line[i]) for i in already):
            already = []  # that these are empty may be known: they cover nothing
        chosen = hide([self.sizes[cell] for cell in line], already, threshold=self._threshold)
        self.hidden |= {line[i] for i in chosen}

    def close_circles(self) -> bool:
        """Put a circle through one small cell that follows from the shown; whether there was one."""
        for cell, side in bridges({cell: self._ends(cell) for cell in sorted(self.hidden)}):
            if small(self.sizes[cell], self._threshold):
                across = [
                    (not any(size), size, other)
                    for other, size in self.sizes.items()
                    if other not in self.hidden and len(side.intersection(self._ends(other))) == 1
                ]
                if across:
                    self.hidden.add(min(across)[2])
                    return True
        return False

    def _ends(self, cell: Cell) -> tuple[Node, Node]:
        """A hidden cell joins its row and its column; open lines are one node, about whose total nothing is known."""
        row, column = ("row", cell[0]), ("column", cell[1])
        return (_OPEN if row in self._open else row, _OPEN if column in self._open else column)


def bridges(edges: Mapping[Cell, tuple[Node, Node]]) -> list[tuple[Cell, set[Node]]]:
    """The edges of a graph that lie on no circle, each with the nodes on its one side (Tarjan 1974)."""
    near: dict[Node, list[tuple[Cell, Node]]] = {}
    for edge, (a, b) in edges.items():
        if a != b:
            near.setdefault(a, []).append((edge, b))
            near.setdefault(b, []).append((edge, a))
    entered: dict[Node, int] = {}
    found: list[tuple[Cell, set[Node]]] = []
    for root in near:
        if root not in entered:
            found += _bridges_from(root, near, entered)
    return found


def _bridges_from(
    root: Node, near: Mapping[Node, Sequence[tuple[Cell, Node]]], entered: dict[Node, int]
) -> list[tuple[Cell, set[Node]]]:
    found: list[tuple[Cell, set[Node]]] = []
    order = [root]
    entered[root] = low_of_root = len(entered)
    lowest = {root: low_of_root}
    stack: list[tuple[Node, Cell | None, int, Iterator[tuple[Cell, Node]]]] = [(root, None, 0, iter(near[root]))]
    while stack:
        node, by, begins, rest = stack[-1]
        step = next(((edge, other) for edge, other in rest if edge != by), None)
        if step is None:
            stack.pop()
            if stack:
                above = stack[-1][0]
                lowest[above] = min(lowest[above], lowest[node])
                if by is not None and lowest[node] > entered[above]:
                    found.append((by, set(order[begins:])))
        elif step[1] in entered:
            lowest[node] = min(lowest[node], entered[step[1]])
        else:
            edge, other = step
            entered[other] = lowest[other] = len(entered)
            stack.append((other, edge, len(order), iter(near[other])))
            order.append(other)
    return found

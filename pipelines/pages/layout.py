"""Where the boxes and arrows of a graph go: rows from top to bottom, no arrow that another path implies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 176, 42  # pixels; two boxes beside each other fit a phone
_GAP_X, _GAP_Y, _MARGIN = 14, 24, 2
_MOST_LETTERS = 24


@dataclass(frozen=True, kw_only=True)
class Node:
    """What is said in a box.

    Attributes:
        name: Unique in the graph.
        title: First line.
        note: Second line, may be empty.
        tone: `good`, `bad`, `warn` or `plain`.
    """

    name: str
    title: str
    note: str = ""
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box with its left upper corner, in pixels; texts are cut to its width."""

    node: Node
    x: float
    y: float

    @property
    def title(self) -> str:
        """Return the first line, cut."""
        return _cut(self.node.title)

    @property
    def note(self) -> str:
        """Return the second line, cut."""
        return _cut(self.node.note)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A graph to draw: its size in pixels, boxes, and arrows as paths of SVG."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]


def lay_out(nodes: Sequence[Node], edges: Collection[tuple[str, str]]) -> Drawing | None:
    """Lay a graph out.

    Args:
        nodes: In an order in which each follows those that point to it.
        edges: Names of two nodes each, from and to; others are passed over.

    Returns:
        The drawing, or None when there is no node.
    """
    if not nodes:
        return None
    names = [node.name for node in nodes]
    arrows = _reduced(names, {edge for edge in edges if edge[0] in names and edge[1] in names})
    rows = _rows(names, arrows)
    widest = max(len(row) for row in rows)
    width = widest * (BOX_WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN
    found = {node.name: node for node in nodes}
    boxes = {
        name: Box(node=found[name], x=_left(column, len(row), width), y=_top(number))
        for number, row in enumerate(rows)
        for column, name in enumerate(row)
    }  # fmt: skip
    height = len(rows) * (BOX_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    paths = tuple(_path(boxes[first], boxes[second]) for first, second in arrows)
    return Drawing(width=width, height=height, boxes=tuple(boxes.values()), arrows=paths)


def _reduced(names: Sequence[str], edges: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out each arrow that a longer way between the same two implies (transitive reduction)."""
    after: dict[str, set[str]] = {name: {b for a, b in edges if a == name} for name in names}
    reach: dict[str, set[str]] = {}
    for name in reversed(names):
        reach[name] = set(after[name]).union(*(reach.get(other, set()) for other in after[name]))
    return [
        (name, other)
        for name in names
        for other in names
        if other in after[name] and not any(other in reach[via] for via in after[name] - {other})
    ]


def _rows(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the names by row: each below all that point to it, and as near as can be to its next ones."""
    rank: dict[str, int] = {}
    for name in names:
        rank[name] = 1 + max((rank[a] for a, b in edges if b == name), default=-1)
    for name in reversed(names):
        rank[name] = min((rank[b] for a, b in edges if a == name), default=rank[name] + 1) - 1
    first = min(rank.values())
    rows: list[list[str]] = [[] for _ in range(max(rank.values()) - first + 1)]
    for name in names:
        rows[rank[name] - first].append(name)
    _order(rows, edges)
    return [row for row in rows if row]


def _order(rows: list[list[str]], edges: Sequence[tuple[str, str]]) -> None:
    """Put each box under the middle of those that point to it."""
    for above, row in pairwise(rows):
        place = {name: column - len(above) / 2 for column, name in enumerate(above)}
        row.sort(key=lambda name, at=place: _mean([at[a] for a, b in edges if b == name and a in at]))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1e9  # what nothing points to goes to the right


def _left(column: int, count: int, width: float) -> float:
    row = count * (BOX_WIDTH + _GAP_X) - _GAP_X
    return (width - row) / 2 + column * (BOX_WIDTH + _GAP_X)


def _top(row: int) -> float:
    return _MARGIN + row * (BOX_HEIGHT + _GAP_Y)


def _path(first: Box, second: Box) -> str:
    x, y = first.x + BOX_WIDTH / 2, first.y + BOX_HEIGHT
    to_x, to_y = second.x + BOX_WIDTH / 2, second.y
    middle = (y + to_y) / 2
    return f"M{x:g} {y:g}C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y - 4:g}"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


TONES: Mapping[str, str] = {
    "SUCCEEDED": "good", "FAILED": "bad", "REFUSED": "warn", "CANCELLED": "warn", "KILLED": "bad",
    "DAMAGED": "bad",
}  # fmt: skip

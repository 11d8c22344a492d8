"""Where the boxes and arrows of a graph go: rows from top to bottom, no arrow that another path implies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 176, 42  # pixels; two boxes beside each other fit a phone
_GAP_X, _GAP_Y, _MARGIN = 14, 24, 2
_MOST_LETTERS = 24

_Place = (
    str | tuple[str, str, int]
)  # the name of a box, or a lane: an arrow's ends, and a row that it passes


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
    rows, ways = _rows(names, arrows)
    width = max(map(_row_width, rows)) + 2 * _MARGIN
    height = len(rows) * (BOX_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    corner = {
        place: (x, _MARGIN + number * (BOX_HEIGHT + _GAP_Y))
        for number, row in enumerate(rows)
        for place, x in zip(row, _lefts(row, width), strict=True)
    }
    boxes = tuple(Box(node=node, x=corner[node.name][0], y=corner[node.name][1]) for node in nodes)
    return Drawing(
        width=width, height=height, boxes=boxes, arrows=tuple(_path(way, corner) for way in ways)
    )


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


def _rows(
    names: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[_Place]], list[list[_Place]]]:
    """Return the boxes by row, and the way of each arrow; one that passes a row has a lane in it.

    A box lies below all that point to it, and near to what it points to (Sugiyama et al., 1981).
    """
    rank: dict[str, int] = {}
    for name in names:
        rank[name] = 1 + max((rank[a] for a, b in edges if b == name), default=-1)
    for name in reversed(names):
        rank[name] = min((rank[b] for a, b in edges if a == name), default=rank[name] + 1) - 1
    first = min(rank.values())
    rows: list[list[_Place]] = [[] for _ in range(max(rank.values()) - first + 1)]
    for name in names:
        rows[rank[name] - first].append(name)
    ways: list[list[_Place]] = []
    for a, b in edges:
        lanes = [(a, b, row) for row in range(rank[a] + 1, rank[b])]
        for lane in lanes:
            rows[lane[2] - first].append(lane)
        ways.append([a, *lanes, b])
    _order(rows, ways)
    return rows, ways


def _order(rows: list[list[_Place]], ways: Sequence[Sequence[_Place]]) -> None:
    """Put each place under the middle of those that lead to it."""
    steps = [step for way in ways for step in pairwise(way)]
    for above, row in pairwise(rows):
        at = {place: column - len(above) / 2 for column, place in enumerate(above)}
        middle = {place: _mean([at[a] for a, b in steps if b == place and a in at]) for place in row}
        row.sort(key=middle.__getitem__)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1e9  # what nothing points to goes to the right


def _row_width(row: Sequence[_Place]) -> float:
    return sum(map(_width, row)) + (len(row) - 1) * _GAP_X


def _width(place: _Place) -> float:
    return BOX_WIDTH if isinstance(place, str) else 0


def _lefts(row: Sequence[_Place], width: float) -> list[float]:
    lefts = [(width - _row_width(row)) / 2]
    for place in row[:-1]:
        lefts.append(lefts[-1] + _width(place) + _GAP_X)
    return lefts


def _path(way: Sequence[_Place], corner: Mapping[_Place, tuple[float, float]]) -> str:
    """Return an arrow's path: curves between rows, straight down in a lane."""
    x, y = _middle(way[0], corner)
    drawn = f"M{x:g} {y + BOX_HEIGHT:g}"
    y += BOX_HEIGHT
    for place in way[1:]:
        to_x, to_y = _middle(place, corner)
        end, half = to_y - 4 if isinstance(place, str) else to_y, (y + to_y) / 2
        drawn += f"C{x:g} {half:g} {to_x:g} {half:g} {to_x:g} {end:g}"
        x, y = to_x, to_y + BOX_HEIGHT
        drawn += "" if isinstance(place, str) else f"V{y:g}"
    return drawn


def _middle(place: _Place, corner: Mapping[_Place, tuple[float, float]]) -> tuple[float, float]:
    x, y = corner[place]
    return x + _width(place) / 2, y


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


TONES: Mapping[str, str] = {
    "SUCCEEDED": "good", "FAILED": "bad", "REFUSED": "warn", "CANCELLED": "warn", "KILLED": "bad",
    "DAMAGED": "bad",
}  # fmt: skip

"""Tiny pictures of a column, as numbers that the page's template turns into SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 260, 64
_SHOWN_VALUES = 5

Bucket = tuple[float, float, float]
Bar = tuple[float, float, float, float]
Share = tuple[str, float, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A histogram, or the most frequent values.

    Attributes:
        bars: `(x, y, width, height)` of each bar in a box of `WIDTH` by `HEIGHT`, y downwards.
        outline: SVG path of the baseline's histogram in the same box, or "".
        ends: Text at the left and the right end of the axis.
        shares: `(value, share, share in the baseline or None)`, most frequent first; then no bars.
        rest: Share of all values that are not shown.
    """

    bars: list[Bar] = field(default_factory=list[Bar])
    outline: str = ""
    ends: tuple[str, str] = ("", "")
    shares: list[Share] = field(default_factory=list[Share])
    rest: float = 0.0


def draw_histogram(
    now: Sequence[Bucket], before: Sequence[Bucket], *, axis: Callable[[float], str], step: float = 0
) -> Picture | None:
    """Draw buckets as bars, and the baseline's as an outline over the same axis.

    Args:
        now: `(low, high, count)` each, in order; high may equal low where there is one value only.
        before: The baseline's likewise, or empty.
        axis: Writes the ends of the axis.
        step: How far below its high end the last value of a bucket lies: 1 for whole numbers and days.

    Returns:
        None when there is no bucket. Areas are shares, so batches of different sizes can be compared.
    """
    if not now:
        return None
    both = [*now, *before]
    low, high = min(each[0] for each in both), max(each[1] for each in both)
    span = (high - low) or 1.0
    densities = [_densities(each, span) for each in (now, before)]
    top = max(max(each, default=0.0) for each in densities) or 1.0
    bars = [
        (_x(start, low, span), HEIGHT * (1 - dense / top), max(1.0, WIDTH * (end - start) / span - 1),
         HEIGHT * dense / top)
        for (start, end, _), dense in zip(now, densities[0], strict=True)
    ]  # fmt: skip
    outline = _outline(before, [dense / top for dense in densities[1]], low, span)
    return Picture(bars=bars, outline=outline, ends=(axis(low), axis(high - step)))


def _densities(buckets: Sequence[Bucket], span: float) -> list[float]:
    rows = sum(count for *_, count in buckets) or 1.0
    narrowest = span / WIDTH
    return [count / rows / max(high - low, narrowest) for low, high, count in buckets]


def _x(value: float, low: float, span: float) -> float:
    return WIDTH * (value - low) / span


def _outline(buckets: Sequence[Bucket], heights: Sequence[float], low: float, span: float) -> str:
    if not buckets:
        return ""
    points = [f"M{_x(buckets[0][0], low, span):.1f} {HEIGHT}"]
    for (start, end, _), height in zip(buckets, heights, strict=True):
        y = HEIGHT * (1 - height)
        points.append(f"L{_x(start, low, span):.1f} {y:.1f}L{_x(end, low, span):.1f} {y:.1f}")
    points.append(f"L{_x(buckets[-1][1], low, span):.1f} {HEIGHT}")
    return "".join(points)


def draw_shares(now: Mapping[str, float], before: Mapping[str, float]) -> Picture | None:
    """Draw the most frequent values and their shares, beside the baseline's.

    Args:
        now: Share of each value, most frequent first.
        before: The baseline's, or empty. Values that stood there and vanished are shown too.

    Returns:
        None when there is no value.
    """
    if not now:
        return None
    names = sorted({*now, *before}, key=lambda name: (-max(now.get(name, 0), before.get(name, 0)), name))
    shown = names[:_SHOWN_VALUES]
    shares = [(name, now.get(name, 0.0), before.get(name, 0.0) if before else None) for name in shown]
    rest = max(0.0, 1 - sum(share for _, share, _ in shares))
    return Picture(shares=shares, rest=rest if rest > 1e-9 else 0.0)

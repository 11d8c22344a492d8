"""Tiny pictures of a column, as numbers that the page's template turns into SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 260, 64
_SHOWN_VALUES = 5

Bucket = tuple[float, float, float]
Bar = tuple[float, float, float, float]
Share = tuple[str, float, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A histogram, or the most frequent values.

    Attributes:
        bars: `(x, y, width, height)` of each bar in a box of `WIDTH` by `HEIGHT`, y downwards.
        outlines: SVG path of each other histogram in the same box, by whose it is.
        ends: Text at the left and the right end of the axis.
        shares: `(value, share, share elsewhere by whose it is)`, most frequent first; then no bars.
        rest: Share of all values that are not shown.
    """

    bars: list[Bar] = field(default_factory=list[Bar])
    outlines: Mapping[str, str] = field(default_factory=dict[str, str])
    ends: tuple[str, str] = ("", "")
    shares: list[Share] = field(default_factory=list[Share])
    rest: float = 0.0


def draw_histogram(
    now: Sequence[Bucket],
    others: Mapping[str, Sequence[Bucket]],
    *,
    axis: Callable[[float], str],
    step: float = 0,
) -> Picture | None:
    """Draw buckets as bars, and those of other splits and the baseline as outlines over the same axis.

    Args:
        now: `(low, high, count)` each, in order; high may equal low where there is one value only.
        others: Others' likewise, by whose they are; empty ones are left out.
        axis: Writes the ends of the axis.
        step: How far below its high end the last value of a bucket lies: 1 for whole numbers and days.

    Returns:
        None when there is no bucket. Areas are shares, so batches of different sizes can be compared.
    """
    if not now:
        return None
    drawn = {name: buckets for name, buckets in others.items() if buckets}
    every = [bucket for buckets in (now, *drawn.values()) for bucket in buckets]
    low, high = min(each[0] for each in every), max(each[1] for each in every)
    span = (high - low) or 1.0
    densities = {name: _densities(each, span) for name, each in drawn.items()}
    dense = _densities(now, span)
    top = max(max(each) for each in (dense, *densities.values())) or 1.0
    bars = [
        (_x(start, low, span), HEIGHT * (1 - height / top), max(1.0, WIDTH * (end - start) / span - 1),
         HEIGHT * height / top)
        for (start, end, _), height in zip(now, dense, strict=True)
    ]  # fmt: skip
    outlines = {
        name: _outline(buckets, [height / top for height in densities[name]], low, span)
        for name, buckets in drawn.items()
    }
    return Picture(bars=bars, outlines=outlines, ends=(axis(low), axis(high - step)))


def _densities(buckets: Sequence[Bucket], span: float) -> list[float]:
    rows = sum(count for *_, count in buckets) or 1.0
    narrowest = span / WIDTH
    return [count / rows / max(high - low, narrowest) for low, high, count in buckets]


def _x(value: float, low: float, span: float) -> float:
    return WIDTH * (value - low) / span


def _outline(buckets: Sequence[Bucket], heights: Sequence[float], low: float, span: float) -> str:
    points = [f"M{_x(buckets[0][0], low, span):.1f} {HEIGHT}"]
    for (start, end, _), height in zip(buckets, heights, strict=True):
        y = HEIGHT * (1 - height)
        points.append(f"L{_x(start, low, span):.1f} {y:.1f}L{_x(end, low, span):.1f} {y:.1f}")
    points.append(f"L{_x(buckets[-1][1], low, span):.1f} {HEIGHT}")
    return "".join(points)


def draw_shares(now: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> Picture | None:
    """Draw the most frequent values and their shares, beside those of other splits and the baseline.

    Args:
        now: Share of each value, most frequent first.
        others: Others' likewise, by whose they are; empty ones are left out. Values that stand only
            there are shown too.

    Returns:
        None when there is no value.
    """
    if not now:
        return None
    drawn = {name: shares for name, shares in others.items() if shares}
    every = (now, *drawn.values())
    names = {name for each in every for name in each}
    most = {name: max(each.get(name, 0.0) for each in every) for name in names}
    shown = sorted(most, key=lambda name: (-most[name], name))[:_SHOWN_VALUES]
    shares: list[Share] = [
        (name, now.get(name, 0.0), {whose: each.get(name, 0.0) for whose, each in drawn.items()})
        for name in shown
    ]
    rest = max(0.0, 1 - sum(share for _, share, _ in shares))
    return Picture(shares=shares, rest=rest if rest > 1e-9 else 0.0)

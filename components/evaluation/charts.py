"""What a figure is made of, as coordinates; the template draws it as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from components.evaluation.estimate import Estimate, Floats
from components.evaluation.show import show

# The plot's corners inside a view box of 320 x 240.
LEFT, RIGHT, TOP, BOTTOM = 44.0, 310.0, 10.0, 202.0
STRIP = 150.0  # width of an interval drawn in a table's row


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis: values to coordinates.

    Attributes:
        label: What it measures.
        low: Value at `start`.
        high: Value at `end`; above `low`.
        start: Coordinate of `low`.
        end: Coordinate of `high`.
    """

    label: str
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return a value's coordinate, kept inside the axis, to a tenth."""
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return about five (coordinate, text) at round values."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next((size * power for size in (1, 2, 2.5, 5) if size * power >= rough), 10 * power)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(self.at(number * step), show(number * step)) for number in range(first, last + 1)]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One figure.

    Attributes:
        title: What it shows.
        note: How to read it, one sentence.
        x: Horizontal axis.
        y: Vertical axis.
        line: Points of the curve, as SVG wants them; empty for none.
        reference: Points of the dashed line to compare with.
        marks: `(x, y, low, high)` of points with vertical intervals.
        bars: `(x, y, width, height)`.
    """

    title: str
    note: str
    x: Axis
    y: Axis
    line: str = ""
    reference: str = ""
    marks: list[tuple[float, float, float, float]] = field(default_factory=list)
    bars: list[tuple[float, float, float, float]] = field(default_factory=list)


def draw_strip(estimate: Estimate, low: float, high: float, reference: float) -> dict[str, float]:
    """Place an interval, its value and a reference on a strip of width `STRIP` from `low` to `high`."""
    axis = Axis(label="", low=low, high=high, start=4.0, end=STRIP - 4.0)
    return {
        "low": axis.at(estimate.low),
        "high": axis.at(estimate.high),
        "value": axis.at(estimate.value),
        "reference": axis.at(reference),
    }


def axis(label: str, low: float = 0.0, high: float = 1.0, *, across: bool = False) -> Axis:
    """Return an axis of a chart's plot; horizontal when it goes across."""
    start, end = (LEFT, RIGHT) if across else (BOTTOM, TOP)
    return Axis(label=label, low=low, high=high, start=start, end=end)


def points(pairs: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    """Return pairs of values as SVG wants the points of a line."""
    return " ".join(f"{x.at(across)},{y.at(up)}" for across, up in pairs)


def span(values: Floats) -> tuple[float, float]:
    """Return ends of an axis that show all values, a little apart even when they are equal."""
    low, high = float(values.min()), float(values.max())
    gap = 0.04 * (high - low) or max(1e-9, abs(low) * 0.1) or 1.0
    return low - gap, high + gap

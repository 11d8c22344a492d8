"""Figures of the report as coordinates; the template draws them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.evaluation.estimate import Z_95, Estimate, Floats, Labels, wilson_interval
from components.evaluation.show import show

# The plot's corners inside a view box of 320 x 240.
LEFT, RIGHT, TOP, BOTTOM = 44.0, 310.0, 10.0, 202.0
STRIP = 150.0  # width of an interval drawn in a table's row

_MOST_POINTS = 200
_BINS = 10


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


def draw_roc(labels: Labels, answers: Floats) -> Chart:
    """Draw the share of positives found over the share of false alarms, for every cut."""
    order = np.argsort(-answers, kind="stable")
    last = np.append(np.diff(answers[order]) != 0, True)
    hits, alarms = np.cumsum(labels[order] == 1)[last], np.cumsum(labels[order] != 1)[last]
    picks = np.unique(np.linspace(0, len(hits) - 1, _MOST_POINTS).round().astype(int))
    x, y = _axis("false alarms, share of negatives", across=True), _axis("found, share of positives")
    pairs = zip(alarms[picks] / max(1, alarms[-1]), hits[picks] / max(1, hits[-1]), strict=True)
    return Chart(
        title="ROC curve",
        note="The further above the dashed line of a guess, the better the ranking.",
        x=x,
        y=y,
        line=_points([(0.0, 0.0), *pairs], x, y),
        reference=_points([(0.0, 0.0), (1.0, 1.0)], x, y),
    )


def draw_calibration(labels: Labels, answers: Floats) -> Chart:
    """Draw how often the positive class came where the model said how probable it is."""
    groups = _even_groups(answers)
    x, y = _axis("probability answered", across=True), _axis("share observed")
    marks: list[tuple[float, float, float, float]] = []
    for group in groups:
        share = float((labels[group] == 1).mean())
        low, high = wilson_interval(share, len(group))
        marks.append((x.at(float(answers[group].mean())), y.at(share), y.at(low), y.at(high)))
    return Chart(
        title="Calibration",
        note=f"Rows in {len(groups)} equal groups by answer; on the dashed line probabilities are right.",
        x=x,
        y=y,
        marks=marks,
        reference=_points([(0.0, 0.0), (1.0, 1.0)], x, y),
    )


def draw_averages(labels: Floats, answers: Floats) -> Chart:
    """Draw mean label over mean answer, in groups of rows with like answers."""
    groups = _even_groups(answers)
    means = [(float(answers[group].mean()), *_mean_interval(labels[group])) for group in groups]
    low, high = _span(np.array(means))
    x, y = _axis("mean prediction", low, high, across=True), _axis("mean label", low, high)
    return Chart(
        title="Predicted and observed",
        note=f"Rows in {len(groups)} equal groups by prediction; on the dashed line the means agree.",
        x=x,
        y=y,
        marks=[(x.at(mean), y.at(seen), y.at(least), y.at(most)) for mean, seen, least, most in means],
        reference=_points([(low, low), (high, high)], x, y),
    )


def draw_histogram(values: Floats, *, title: str, label: str) -> Chart:
    """Draw how often values occur; the outermost bars hold the 1 % beyond on either side."""
    low, high = _span(np.quantile(values, [0.01, 0.99]))
    counts, edges = np.histogram(np.clip(values, low, high), bins=30, range=(low, high))
    x = _axis(label, low, high, across=True)
    y = _axis("rows", 0.0, float(max(1, counts.max())) * 1.05)
    bars = [
        (x.at(left), y.at(count), round(x.at(right) - x.at(left) - 1.0, 1), round(BOTTOM - y.at(count), 1))
        for count, left, right in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    ]
    note = "The outermost bars hold all that lies beyond the 1st and 99th percentile."
    return Chart(title=title, note=note, x=x, y=y, bars=bars)


def draw_strip(estimate: Estimate, low: float, high: float, reference: float) -> dict[str, float]:
    """Place an interval, its value and a reference on a strip of width `STRIP` from `low` to `high`."""
    axis = Axis(label="", low=low, high=high, start=4.0, end=STRIP - 4.0)
    return {
        "low": axis.at(estimate.low),
        "high": axis.at(estimate.high),
        "value": axis.at(estimate.value),
        "reference": axis.at(reference),
    }


def _axis(label: str, low: float = 0.0, high: float = 1.0, *, across: bool = False) -> Axis:
    start, end = (LEFT, RIGHT) if across else (BOTTOM, TOP)
    return Axis(label=label, low=low, high=high, start=start, end=end)


def _points(pairs: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.at(across)},{y.at(up)}" for across, up in pairs)


def _even_groups(answers: Floats) -> list[NDArray[np.intp]]:
    groups = min(_BINS, max(1, len(answers) // 10))
    return np.array_split(np.argsort(answers, kind="stable"), groups)


def _mean_interval(values: Floats) -> tuple[float, float, float]:
    mean = float(values.mean())
    half = Z_95 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean, mean - half, mean + half


def _span(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    gap = 0.04 * (high - low) or max(1e-9, abs(low) * 0.1) or 1.0
    return low - gap, high + gap

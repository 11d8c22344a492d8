"""The report's figures: curves, groups of rows, and how errors spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from components.evaluation.catalogue import ERROR_QUANTILES
from components.evaluation.charts import BOTTOM, Chart, axis, points, span
from components.evaluation.estimate import Z_95, Estimate, Floats
from components.evaluation.measure_calibration import CalibrationPoint
from components.evaluation.trace import CurvePoint

_GROUPS = 10


def draw_roc(curve: Sequence[CurvePoint]) -> Chart:
    """Draw the share of positives found over the share of false alarms, for every threshold."""
    x, y = axis("false alarms, share of negatives", across=True), axis("found, share of positives")
    pairs = [(point.false_positive_rate, point.recall) for point in curve]
    return Chart(
        title="ROC curve",
        note="The further above the dashed line of a guess, the better the ranking.",
        x=x,
        y=y,
        line=points([(0.0, 0.0), *pairs], x, y),
        reference=points([(0.0, 0.0), (1.0, 1.0)], x, y),
    )


def draw_precision(curve: Sequence[CurvePoint], positive: float) -> Chart:
    """Draw precision over recall, for every threshold; a guess has the share of positives throughout."""
    x, y = axis("found, share of positives", across=True), axis("right among answered positive")
    pairs = [(point.recall, point.precision) for point in curve]
    return Chart(
        title="Precision and recall",
        note="The dashed line is a guess: the share of positives.",
        x=x,
        y=y,
        line=points([(0.0, curve[0].precision), *pairs], x, y),
        reference=points([(0.0, positive), (1.0, positive)], x, y),
    )


def draw_calibration(curve: Sequence[CalibrationPoint], *, several: bool) -> Chart:
    """Draw how often a class came where the model said how probable it is."""
    x, y = axis("probability answered", across=True), axis("share observed")
    whose = "the class answered" if several else "the positive class"
    note = f"Of {whose}, rows in {len(curve)} groups of like answers; on the dashed line they are right."
    return Chart(
        title="Calibration",
        note=note,
        x=x,
        y=y,
        marks=[(x.at(one.probability), y.at(one.share), y.at(one.low), y.at(one.high)) for one in curve],
        reference=points([(0.0, 0.0), (1.0, 1.0)], x, y),
    )


def draw_averages(labels: Floats, answers: Floats) -> Chart:
    """Draw mean label over mean answer, in groups of rows with like answers."""
    groups = _even_groups(answers)
    means = [(float(answers[group].mean()), *_mean_interval(labels[group])) for group in groups]
    low, high = span(np.array(means))
    x, y = axis("mean prediction", low, high, across=True), axis("mean label", low, high)
    return Chart(
        title="Predicted and observed",
        note=f"Rows in {len(groups)} equal groups by prediction; on the dashed line the means agree.",
        x=x,
        y=y,
        marks=[(x.at(mean), y.at(seen), y.at(least), y.at(most)) for mean, seen, least, most in means],
        reference=points([(low, low), (high, high)], x, y),
    )


def draw_histogram(values: Floats, *, title: str, label: str) -> Chart:
    """Draw how often values occur; the outermost bars hold the 1 % beyond on either side."""
    low, high = span(np.quantile(values, [0.01, 0.99]))
    counts, edges = np.histogram(np.clip(values, low, high), bins=30, range=(low, high))
    x = axis(label, low, high, across=True)
    y = axis("rows", 0.0, float(max(1, counts.max())) * 1.05)
    bars = [
        (x.at(left), y.at(count), round(x.at(right) - x.at(left) - 1.0, 1), round(BOTTOM - y.at(count), 1))
        for count, left, right in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    ]
    note = "The outermost bars hold all that lies beyond the 1st and 99th percentile."
    return Chart(title=title, note=note, x=x, y=y, bars=bars)


def draw_error_quantiles(errors: Floats, estimates: Mapping[str, Estimate]) -> Chart:
    """Draw how large the error is that a share of rows stays below, with intervals where they are known."""
    shares = np.linspace(0.01, 0.99, 99)
    values = np.quantile(errors, shares)
    known = [(share, estimates[name]) for name, share in ERROR_QUANTILES.items() if name in estimates]
    low, high = span(np.array([0.0, *values, *(end for _, one in known for end in (one.low, one.high))]))
    x, y = axis("share of rows below", across=True), axis("prediction minus label", low, high)
    return Chart(
        title="Error quantiles",
        note="So large is the error that a share of the rows stays below; the dashed line is no error.",
        x=x,
        y=y,
        line=points(list(zip(shares.tolist(), values.tolist(), strict=True)), x, y),
        marks=[(x.at(share), y.at(one.value), y.at(one.low), y.at(one.high)) for share, one in known],
        reference=points([(0.0, 0.0), (1.0, 0.0)], x, y),
    )


def _even_groups(answers: Floats) -> list[NDArray[np.intp]]:
    groups = min(_GROUPS, max(1, len(answers) // 10))
    return np.array_split(np.argsort(answers, kind="stable"), groups)


def _mean_interval(values: Floats) -> tuple[float, float, float]:
    mean = float(values.mean())
    half = Z_95 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean, mean - half, mean + half

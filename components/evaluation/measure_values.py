"""Metrics of regression: squared and absolute error, the variance explained, and how errors spread."""

from __future__ import annotations

import math

import numpy as np

from components.evaluation.catalogue import ERROR_QUANTILES
from components.evaluation.estimate import (
    Z_95,
    Estimate,
    Floats,
    mean_estimate,
    normal_estimate,
    scale_influence,
)


def measure_values(labels: Floats, answers: Floats) -> dict[str, Estimate | None]:
    """Measure predicted values.

    Args:
        labels: `[rows]`, at least two, finite.
        answers: `[rows]`, finite, of the label's unit.

    Returns:
        `mse` (unit squared), `rmse` and `mae` (unit), `r2` (at most 1; None where labels do not vary), and
        quantiles of prediction minus label, from `error_p05` to `error_p95` (unit; None where rows are too
        few for an interval).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not finite and dropped later
        errors = answers - labels
        return {
            "mse": mean_estimate(errors**2, lowest=0.0),
            "rmse": _root(errors),
            "mae": mean_estimate(np.abs(errors), lowest=0.0),
            "r2": _explained(labels, errors),
            **_quantiles(np.sort(errors)),
        }


def _quantiles(ranked: Floats) -> dict[str, Estimate | None]:
    """Estimate quantiles of sorted errors between order statistics, whatever their distribution.

    The ranks are the normal approximation of binomial ones (Conover 1999, Practical Nonparametric
    Statistics, 3.2).
    """
    rows = len(ranked)
    found: dict[str, Estimate | None] = dict.fromkeys(ERROR_QUANTILES)
    for name, share in ERROR_QUANTILES.items():
        half = Z_95 * math.sqrt(rows * share * (1.0 - share))
        first, last = math.ceil(rows * share - half), math.ceil(rows * share + half)
        if first >= 1 and last <= rows:
            value = float(np.quantile(ranked, share))
            found[name] = Estimate(value=value, low=float(ranked[first - 1]), high=float(ranked[last - 1]))
    return found


def _root(errors: Floats) -> Estimate:
    """Estimate the root of the mean squared error, by the delta method."""
    mean = float((errors**2).mean())
    root = math.sqrt(mean)
    influence = scale_influence(errors**2 - mean)
    return normal_estimate(root, influence / (2.0 * root) if root > 0.0 else influence, lowest=0.0)


def _explained(labels: Floats, errors: Floats) -> Estimate | None:
    """Estimate 1 - sum of squared errors / sum of squares about the mean, by the delta method."""
    squares = (labels - labels.mean()) ** 2
    if not squares.sum() > 0.0:
        return None
    unexplained = float((errors**2).sum() / squares.sum())
    terms = (unexplained * squares - errors**2) / squares.mean()
    return normal_estimate(1.0 - unexplained, scale_influence(terms), highest=1.0)

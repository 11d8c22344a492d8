"""Whether probabilities are right: the calibration curve and its error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.estimate import Z_95, Estimate, Floats, scale_influence, wilson_interval

GROUPS = 10
_FEWEST = 10  # rows of a group


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationPoint:
    """Rows with like probabilities.

    Attributes:
        probability: Mean of what was answered.
        share: How often it came.
        low: Lower end of the share's 95 % interval (Wilson 1927).
        high: Upper end.
        rows: How many rows.
    """

    probability: float
    share: float
    low: float
    high: float
    rows: int


def group_probabilities(probability: Floats) -> NDArray[np.int64]:
    """Number groups of like probabilities `[rows]`, of equal size; equal probabilities stay together.

    Ten groups, or fewer so that each has about ten rows (Nguyen and O'Connor 2015, adaptive bins).
    """
    groups = min(GROUPS, max(1, len(probability) // _FEWEST))
    edges = np.quantile(probability, np.linspace(0.0, 1.0, groups + 1))[1:-1]
    return np.unique(np.searchsorted(edges, probability), return_inverse=True)[1]


def estimate_calibration_error(came: Floats, probability: Floats) -> Estimate:
    """Estimate the mean gap between probabilities and what came, over groups (Naeini et al. 2015).

    The plain number is above 0 for perfect probabilities too, since chance moves every group. So the lower
    end of the interval has what chance alone would show taken off, and reaches 0 for such a model.

    Args:
        came: `[rows]`, 1.0 where the class came, else 0.0; at least two rows.
        probability: `[rows]` of the class.
    """
    group, rows = group_probabilities(probability), len(came)
    gap = came - probability
    sums, sizes = np.bincount(group, gap), np.bincount(group)
    value = float(np.abs(sums).sum() / rows)
    spread = np.sqrt(np.bincount(group, np.square(gap - (sums / sizes)[group])))
    by_chance = math.sqrt(2.0 / math.pi) * float(spread.sum()) / rows
    influence = scale_influence(np.where(sums < 0.0, -1.0, 1.0)[group] * gap - value)
    half = Z_95 * math.sqrt(float(influence @ influence))
    low, high = max(0.0, value - by_chance - half), min(1.0, value + half)
    return Estimate(value=value, low=low, high=high, influence=influence)


def draw_points(came: Floats, probability: Floats) -> list[CalibrationPoint]:
    """Return the calibration curve, ascending; arguments as in `estimate_calibration_error`."""
    group = group_probabilities(probability)
    sizes = np.bincount(group)
    means, shares = np.bincount(group, probability) / sizes, np.bincount(group, came) / sizes
    points: list[CalibrationPoint] = []
    for mean, share, size in zip(means.tolist(), shares.tolist(), sizes.tolist(), strict=True):
        low, high = wilson_interval(share, size)
        points.append(CalibrationPoint(probability=mean, share=share, low=low, high=high, rows=size))
    return points

"""A number with its 95 % interval, and what each row contributes to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Estimate:
    """A metric over some rows.

    Attributes:
        value: The metric.
        low: Lower end of its 95 % interval.
        high: Upper end.
        influence: `[rows]`: what each row contributes to the metric's error, scaled so that the sum of
            squares is the metric's variance and the sum of products with another model's influences on
            the same rows is the covariance. None where no such form is known.
    """

    value: float
    low: float
    high: float
    influence: Floats | None = None

    def bounds(self) -> dict[str, float]:
        """Return `{value, low, high}`, as `evaluation.json` holds it."""
        return {"value": self.value, "low": self.low, "high": self.high}


def normal_estimate(
    value: float, influence: Floats, *, lowest: float = -math.inf, highest: float = math.inf
) -> Estimate:
    """Put a normal 95 % interval around a value, cut at the metric's own bounds.

    Args:
        value: The metric.
        influence: `[rows]`, see `Estimate`.
        lowest: Smallest value that the metric can take.
        highest: Largest value that the metric can take.
    """
    half = Z_95 * math.sqrt(float(influence @ influence))
    low, high = max(lowest, value - half), min(highest, value + half)
    return Estimate(value=value, low=low, high=high, influence=influence)


def mean_estimate(losses: Floats, *, lowest: float = -math.inf, highest: float = math.inf) -> Estimate:
    """Estimate the mean of one loss per row by the central limit theorem.

    Args:
        losses: `[rows]`, at least two.
        lowest: Smallest value that the mean can take.
        highest: Largest value that the mean can take.
    """
    mean = float(losses.mean())
    return normal_estimate(mean, scale_influence(losses - mean), lowest=lowest, highest=highest)


def scale_influence(centred: Floats) -> Floats:
    """Scale centred terms of a mean so that their squares sum to the mean's variance, unbiased.

    Args:
        centred: `[rows]`, at least two, mean 0.
    """
    rows = len(centred)
    return centred / math.sqrt(rows * (rows - 1))


def wilson_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927), sensible at 0, at 1 and for few rows.

    Args:
        share: The observed share, in [0, 1].
        rows: Rows it was observed in, at least 1.
    """
    square = Z_95**2 / rows
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(new: Estimate, old: Estimate) -> Estimate | None:
    """Estimate new minus old, both measured on the same rows, with a paired normal 95 % interval.

    For areas under the curve the influences are DeLong's components, so the interval is the paired one
    of DeLong, DeLong and Clarke-Pearson (1988); for means it is the normal one of the paired losses.

    Returns:
        The difference, or None where the metric has no influences.
    """
    if new.influence is None or old.influence is None:
        return None
    return normal_estimate(new.value - old.value, new.influence - old.influence)

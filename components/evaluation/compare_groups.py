"""Fairness: how far apart the groups of a column are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.common.artifacts import Task
from components.evaluation.catalogue import GROUP_METRICS
from components.evaluation.estimate import Z_95, Estimate
from components.evaluation.slice import Slice


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One metric between the groups of one column.

    Attributes:
        column: The column.
        metric: The metric; for a binary model the difference in `selection_rate` is known as demographic
            parity, in `recall` as equal opportunity, in both rates as equalized odds.
        lowest: Group with the lowest value.
        highest: Group with the highest value.
        low: The lowest value.
        high: The highest value.
        difference: Highest minus lowest, with the normal 95 % interval of two independent groups.
        ratio: Lowest by highest, with the 95 % interval of Katz et al. (1978); None unless both are
            above 0.
        groups: Groups that were measured.
    """

    column: str
    metric: str
    lowest: str
    highest: str
    low: float
    high: float
    difference: Estimate
    ratio: Estimate | None
    groups: int

    def as_mapping(self) -> dict[str, Any]:
        """Return the fields as `evaluation.json` holds them."""
        return {
            "column": self.column,
            "metric": self.metric,
            "groups": self.groups,
            "lowest": {"group": self.lowest, "value": self.low},
            "highest": {"group": self.highest, "value": self.high},
            "difference": self.difference.bounds(),
            "ratio": self.ratio.bounds() if self.ratio else None,
        }


def compare_groups(column: str, slices: Sequence[Slice], task: Task) -> list[Gap]:
    """Hold the lowest against the highest group of a column, for each metric of decisions.

    The two are picked because they are the extremes, so with many small groups chance alone keeps them
    apart; the intervals are those of the two, without a correction for the choice.

    Args:
        column: The column.
        slices: Its measured slices.
        task: Says which metrics.

    Returns:
        A gap for each metric that at least two groups have.
    """
    gaps = [_find_gap(column, metric, slices) for metric in GROUP_METRICS[task]]
    return [gap for gap in gaps if gap]


def _find_gap(column: str, metric: str, slices: Sequence[Slice]) -> Gap | None:
    known = [(found.name, found.estimates[metric]) for found in slices if metric in found.estimates]
    if len(known) < 2:
        return None
    lowest, low = min(known, key=lambda pair: pair[1].value)
    highest, high = max(known, key=lambda pair: pair[1].value)
    apart = high.value - low.value
    half = Z_95 * math.hypot(_error(low), _error(high))
    return Gap(
        column=column,
        metric=metric,
        lowest=lowest,
        highest=highest,
        low=low.value,
        high=high.value,
        difference=Estimate(value=apart, low=apart - half, high=apart + half),
        ratio=_divide(low, high),
        groups=len(known),
    )


def _divide(low: Estimate, high: Estimate) -> Estimate | None:
    if not low.value > 0.0:
        return None
    value = low.value / high.value
    half = Z_95 * math.hypot(_error(low) / low.value, _error(high) / high.value)
    return Estimate(value=value, low=value * math.exp(-half), high=value * math.exp(half))


def _error(estimate: Estimate) -> float:
    """Return the standard error; from the interval where no influences are known."""
    if estimate.influence is not None and estimate.low < estimate.value < estimate.high:
        return math.sqrt(float(estimate.influence @ estimate.influence))
    return (estimate.high - estimate.low) / (2 * Z_95)

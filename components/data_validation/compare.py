"""How far apart two samples of a column are, and how far sampling alone may put them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.common.artifacts import Kind
from components.data_validation.describe import (
    RANKED_VALUES,
    ROWS_PER_VALUE,
    Batch,
    count_between,
    finite_numbers,
    is_categorical,
)
from components.data_validation.look_up import value_counts
from components.data_validation.messages import FeatureStatistics, Histogram, Numbers

_TEXTS = ("string", "date", "timestamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """How far a column is from its reference.

    Attributes:
        measure: `Jensen-Shannon divergence` (bits) or `largest change of a share`; both in [0, 1].
        value: The distance.
        noise: What two samples of these sizes from one population hardly ever exceed.
        at: For text and booleans the value whose share changed most, else None.
    """

    measure: str
    value: float
    noise: float
    at: str | None = None


def measure_distance(batch: Batch, split: str, name: str, reference: FeatureStatistics) -> Distance | None:
    """Measure how far one column of one split is from statistics of it.

    Numbers are compared by Jensen-Shannon divergence (Lin 1991, base 2) over the reference's own
    quantile buckets: equal-width buckets, which TFDV compares, make one outlier look like a total
    change. Text and booleans are compared by the largest change of one value's share (L-infinity).

    Args:
        batch: The batch.
        split: Split to look at.
        name: Column.
        reference: Statistics of the same column elsewhere, of the same kind.

    Returns:
        None when there is nothing to compare: keys, text of too many values, personal columns, or no
        values on one side.
    """
    kind = batch.columns[name]
    if not _comparable(batch, split, name, kind):
        return None
    if kind in _TEXTS:
        return _compare_shares(_ranks(reference), _ranks(_statistics(batch, split, name)))
    numbers = finite_numbers(batch.column(split, name))
    if kind == "boolean":
        return _compare_shares(_booleans(reference), {"true": numbers.sum(), "false": (numbers == 0).sum()})
    return _compare_numbers(reference, numbers)


def _comparable(batch: Batch, split: str, name: str, kind: Kind) -> bool:
    counts = batch.counts[split][name]
    if not counts.present or name in batch.personal:
        return False
    if kind in _TEXTS:
        return is_categorical(counts.distinct, counts.present)
    return not (kind == "integer" and counts.distinct == counts.present > ROWS_PER_VALUE)


def _statistics(batch: Batch, split: str, name: str) -> FeatureStatistics:
    dataset = next(each for each in batch.statistics.datasets if each.name == split)
    return dataset.features[list(batch.columns).index(name)]


def _ranks(feature: FeatureStatistics) -> dict[str, float]:
    if feature.string_stats.unique > RANKED_VALUES:
        return {}
    return value_counts(feature)


def _booleans(feature: FeatureStatistics) -> dict[str, float]:
    present = float(feature.num_stats.common_stats.num_non_missing)
    return {"true": present - feature.num_stats.num_zeros, "false": float(feature.num_stats.num_zeros)}


def _compare_shares(before: dict[str, Any], now: dict[str, Any]) -> Distance | None:
    rows_before, rows_now = sum(before.values()), sum(now.values())
    if not rows_before or not rows_now:
        return None
    changes = {
        value: abs(before.get(value, 0) / rows_before - now.get(value, 0) / rows_now)
        for value in sorted({*before, *now})
    }
    at = max(changes, key=lambda value: changes[value])
    pooled = (before.get(at, 0) + now.get(at, 0)) / (rows_before + rows_now)
    noise = 3 * math.sqrt(pooled * (1 - pooled) * (1 / rows_before + 1 / rows_now))
    return Distance(
        measure="largest change of a share", value=float(changes[at]), noise=float(noise), at=at
    )


def _compare_numbers(reference: FeatureStatistics, numbers: Numbers) -> Distance | None:
    buckets = _quantile_buckets(reference)
    if not buckets or not len(numbers):
        return None
    below = np.nextafter(reference.num_stats.min, -np.inf)  # what lies under all that was seen
    edges = np.array([below, *buckets])
    before = np.array([0.0, *buckets.values(), 0.0])
    now = count_between(numbers, edges)
    occupied = int(((before + now) > 0).sum())
    noise = (occupied - 1) / (4 * math.log(2)) * (1 / before.sum() + 1 / len(numbers))
    return Distance(
        measure="Jensen-Shannon divergence", value=jensen_shannon(before, now), noise=float(noise)
    )


def _quantile_buckets(feature: FeatureStatistics) -> dict[float, float]:
    counts: dict[float, float] = {}
    for histogram in feature.num_stats.histograms:
        if histogram.type == Histogram.QUANTILES:
            for bucket in histogram.buckets:
                if math.isfinite(bucket.high_value):
                    counts[bucket.high_value] = counts.get(bucket.high_value, 0) + bucket.sample_count
    return dict(sorted(counts.items()))


def jensen_shannon(before: Numbers, now: Numbers) -> float:
    """Return the Jensen-Shannon divergence of two histograms over the same buckets, in bits, in [0, 1].

    Counts need not sum to one; neither side may be all zero. Twice its mean under equal populations
    is `(k - 1) / (4 ln 2) (1/n + 1/m)` for k buckets (chi-square approximation): the noise above.
    """
    first, second = before / before.sum(), now / now.sum()
    middle = (first + second) / 2
    terms = [side[side > 0] * np.log2(side[side > 0] / middle[side > 0]) for side in (first, second)]
    return float(min(1.0, max(0.0, sum(each.sum() for each in terms) / 2)))

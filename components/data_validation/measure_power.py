"""How well one column alone foretells the label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.data_validation.messages import Numbers
from components.data_validation.sample import SampledColumn

_FEWEST_ROWS = 50
_MOST_CLASSES = 10
_BUCKETS = 100


def measure_power(columns: Mapping[str, SampledColumn], label: str, *, classes: bool) -> dict[str, float]:
    """Measure how well each column alone foretells the label, in [0, 1].

    The score of a target encoding (Micci-Barreca 2001), cross-fitted on two halves: rows are predicted by
    the mean label of their value, or of one of 100 quantile buckets for numbers, in the *other* half. So a
    key, whose values the other half does not have, foretells nothing. A missing value is a value.

    Args:
        columns: A sample with the label; every column has the same rows.
        label: Column to be foretold.
        classes: Whether the label's values are classes.

    Returns:
        By column: for classes the Gini coefficient 2 AUC - 1, over one class against the rest weighted by
        the classes' sizes, at most the ten largest; for quantities the larger of the cross-fitted
        R² and the squared Pearson correlation. Nothing with fewer than fifty labelled rows.
    """
    target = columns.get(label)
    if target is None:
        return {}
    values = target.codes if classes else target.numbers
    if values is None:
        return {}
    known = values >= 0 if classes else ~np.isnan(values)
    if known.sum() < _FEWEST_ROWS:
        return {}
    half = np.random.default_rng(1).random(int(known.sum())) < 0.5
    goals = _indicators(values[known]) if classes else [(1.0, values[known])]
    return {
        name: _power(_rows(column, known), goals, half, classes=classes)
        for name, column in columns.items()
        if name != label
    }


def _indicators(codes: Numbers) -> list[tuple[float, Numbers]]:
    sizes = np.bincount(codes)
    if len(sizes) == 2:
        return [(1.0, (codes == 1).astype(float))]
    largest = np.argsort(-sizes, kind="stable")[:_MOST_CLASSES]
    return [(float(sizes[code]), (codes == code).astype(float)) for code in largest]


def _rows(column: SampledColumn, known: Numbers) -> SampledColumn:
    numbers, codes = (None if each is None else each[known] for each in (column.numbers, column.codes))
    return SampledColumn(numbers=numbers, codes=codes, repeats=column.repeats)


def _power(
    column: SampledColumn, goals: list[tuple[float, Numbers]], half: Numbers, *, classes: bool
) -> float:
    found: list[tuple[float, float]] = []
    for fitted in (half, ~half):
        groups = _groups(column, fitted)
        for weight, goal in goals:
            predicted = _means(groups, goal, fitted)[groups[~fitted]]
            score = _gini(predicted, goal[~fitted]) if classes else _determination(predicted, goal[~fitted])
            found.append((weight, score))
    power = sum(weight * score for weight, score in found) / sum(weight for weight, _ in found)
    if not classes and column.numbers is not None:
        power = max(power, _squared_correlation(column.numbers, goals[0][1]))
    return float(min(1.0, max(0.0, power)))


def _groups(column: SampledColumn, fitted: Numbers) -> Numbers:
    """Return a group for each row, 0 where missing; buckets of numbers come from the fitted half."""
    if column.codes is not None:
        return column.codes + 1
    assert column.numbers is not None  # noqa: S101 - one of the two is always there
    present = column.numbers[fitted & ~np.isnan(column.numbers)]
    if not len(present):
        return np.zeros(len(fitted), dtype=np.int64)
    edges = np.unique(np.quantile(present, np.arange(1, _BUCKETS) / _BUCKETS))
    found = 1 + np.searchsorted(edges, column.numbers, side="left")
    return np.where(np.isnan(column.numbers), 0, found)


def _means(groups: Numbers, goal: Numbers, fitted: Numbers) -> Numbers:
    groups_at, goal_at, size = groups[fitted], goal[fitted], int(groups.max()) + 1
    rows = np.bincount(groups_at, minlength=size)
    sums = np.bincount(groups_at, weights=goal_at, minlength=size)
    return np.where(rows > 0, sums / np.maximum(rows, 1), goal_at.mean())


def _gini(predicted: Numbers, goal: Numbers) -> float:
    """Return 2 AUC - 1, ties counted half (Mann and Whitney 1947); 0 when one class is absent."""
    values, places = np.unique(predicted, return_inverse=True)
    positive = np.bincount(places, weights=goal, minlength=len(values))
    negative = np.bincount(places, minlength=len(values)) - positive
    pairs = positive.sum() * negative.sum()
    if not pairs:
        return 0.0
    below = np.cumsum(negative) - negative
    return float(2 * (positive * (below + negative / 2)).sum() / pairs - 1)


def _determination(predicted: Numbers, goal: Numbers) -> float:
    spread = ((goal - goal.mean()) ** 2).sum() if len(goal) else 0.0
    return float(1 - ((goal - predicted) ** 2).sum() / spread) if spread else 0.0


def _squared_correlation(numbers: Numbers, goal: Numbers) -> float:
    present = ~np.isnan(numbers)
    first, second = numbers[present], goal[present]
    if len(first) < _FEWEST_ROWS or not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1] ** 2 * present.mean())

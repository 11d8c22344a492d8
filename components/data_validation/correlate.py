"""How closely columns are bound to each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.data_validation.messages import Numbers
from components.data_validation.sample import SampledColumn

_FEWEST_ROWS = 50
_BLOCK_ROWS = 4096
_LEAST_SPREAD = 1e-9  # variance of a column whose largest value is 1
_MOST_KEPT = 20_000  # pairs of numbers; a table of 1,000 columns has half a million
_MANY_PAIRS, _ROWS_OF_MANY = 2000, 5000  # of categories: beyond so many pairs, so many rows tell enough


@dataclass(frozen=True, kw_only=True, slots=True)
class Association:
    """How closely two columns are bound.

    Attributes:
        first: One column.
        second: The other, after it in the table.
        measure: `r` (Pearson, in [-1, 1]) or `Cramér's V` (in [0, 1]).
        value: The measure.
    """

    first: str
    second: str
    measure: str
    value: float


def correlate(columns: Mapping[str, SampledColumn]) -> list[Association]:
    """Measure every pair of columns that can be compared, the closest first; of numbers the closest 20,000.

    Two numbers: Pearson's r over the rows that have both. Two categories (whole numbers of few values may
    be one): Cramér's V with Bergsma's correction for bias (2013), so that many values do not look like a
    bond. Pairs of numbers with text, and pairs with fewer than fifty common rows, are left out.
    """
    names = list(columns)
    numeric = [name for name in names if columns[name].numbers is not None]
    categories = [name for name in names if columns[name].codes is not None and columns[name].repeats]
    pairs = [
        pair
        for pair in itertools.combinations(categories, 2)
        if any(columns[n].numbers is None for n in pair)
    ]
    rows = None if len(pairs) <= _MANY_PAIRS else _ROWS_OF_MANY
    found = [*_bonds_of_numbers(numeric, columns), *_bonds_of_categories(pairs, columns, rows)]
    place = {name: at for at, name in enumerate(names)}
    return sorted(found, key=lambda each: (-abs(each.value), place[each.first], place[each.second]))


def _bonds_of_categories(
    pairs: Sequence[tuple[str, str]], columns: Mapping[str, SampledColumn], rows: int | None
) -> Iterator[Association]:
    for first, second in pairs:
        codes = [columns[name].codes for name in (first, second)]
        value = cramers_v(*(each[:rows] for each in codes if each is not None))
        if value is not None:
            yield Association(first=first, second=second, measure="Cramér's V", value=value)


def _bonds_of_numbers(names: Sequence[str], columns: Mapping[str, SampledColumn]) -> Iterator[Association]:
    numbers = [each for name in names if (each := columns[name].numbers) is not None]
    if len(numbers) < 2:
        return
    values, doubtful = _pearson_matrix(numbers)
    for at, other in np.argwhere(np.triu(doubtful, 1)).tolist():
        exact = _pearson(numbers[at], numbers[other])
        values[at, other] = np.nan if exact is None else exact
    pairs = np.argwhere(np.triu(np.isfinite(values), 1))
    found = values[pairs[:, 0], pairs[:, 1]]
    for at in np.argsort(-np.abs(found), kind="stable")[:_MOST_KEPT].tolist():
        first, second = names[int(pairs[at, 0])], names[int(pairs[at, 1])]
        yield Association(first=first, second=second, measure="r", value=float(found[at]))


def _pearson_matrix(numbers: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Return Pearson's r of all pairs by products of matrices, and which pairs these do not tell exactly.

    Args:
        numbers: Columns of equal length, NaN where missing.

    Returns:
        r `[columns, columns]`, NaN with fewer than fifty common rows; and where one of two columns hardly
        varies over their common rows, so that rounding would decide.
    """
    scales = np.array([_largest(each) for each in numbers])[:, None]
    centres = np.array([_mean(each / scale) for each, scale in zip(numbers, scales[:, 0], strict=True)])
    rows, sums, squares, products = (np.zeros((len(numbers), len(numbers))) for _ in range(4))
    for start in range(0, len(numbers[0]), _BLOCK_ROWS):
        block = np.stack([each[start : start + _BLOCK_ROWS] for each in numbers]) / scales
        there = ~np.isnan(block)
        values, known = np.where(there, block - centres[:, None], 0.0), there.astype(np.float64)
        rows += known @ known.T
        sums += values @ known.T
        squares += values**2 @ known.T
        products += values @ values.T
    common = np.where(rows < _FEWEST_ROWS, np.nan, rows)
    means = sums / common
    spread = squares / common - means**2
    least = np.minimum(spread, spread.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (products / common - means * means.T) / np.sqrt(spread * spread.T)
    return np.clip(found, -1, 1), least < _LEAST_SPREAD


def _largest(values: Numbers) -> float:
    return float(np.abs(values[~np.isnan(values)]).max(initial=0)) or 1.0


def _mean(values: Numbers) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _pearson(first: Numbers, second: Numbers) -> float | None:
    both = ~(np.isnan(first) | np.isnan(second))
    one, other = (each[both] for each in (first, second))
    if len(one) < _FEWEST_ROWS or one.min() == one.max() or other.min() == other.max():
        return None
    one, other = (each / np.abs(each).max() for each in (one, other))  # squares of huge values overflow
    value = float(np.corrcoef(one, other)[0, 1])
    return value if math.isfinite(value) else None


def cramers_v(first: Numbers, second: Numbers) -> float | None:
    """Return Cramér's V, corrected for bias (Bergsma 2013), in [0, 1].

    Args:
        first: Codes from 0 on, -1 where missing.
        second: Likewise, of the same rows.

    Returns:
        None with fewer than fifty common rows, or when one of them has a single value there.
    """
    both = (first >= 0) & (second >= 0)
    rows = int(both.sum())
    if rows < _FEWEST_ROWS:
        return None
    one, other = (np.unique(each[both], return_inverse=True)[1] for each in (first, second))
    height, width = int(one.max()) + 1, int(other.max()) + 1
    if min(height, width) < 2:
        return None
    table = np.bincount(one * width + other, minlength=height * width).reshape(height, width)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    phi = float(((table - expected) ** 2 / expected).sum()) / rows
    phi = max(0.0, phi - (height - 1) * (width - 1) / (rows - 1))
    corrected = [size - (size - 1) ** 2 / (rows - 1) for size in (height, width)]
    return math.sqrt(min(1.0, phi / (min(corrected) - 1)))

"""How closely columns are bound to each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components.data_validation.messages import Numbers
from components.data_validation.sample import SampledColumn

_FEWEST_ROWS = 50


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
    """Measure every pair of columns that can be compared, the closest first.

    Two numbers: Pearson's r over the rows that have both. Two categories (whole numbers of few values may
    be one): Cramér's V with Bergsma's correction for bias (2013), so that many values do not look like a
    bond. Pairs of numbers with text, and pairs with fewer than fifty common rows, are left out.
    """
    pairs = itertools.combinations(columns, 2)
    found = (_associate(first, second, columns) for first, second in pairs)
    return sorted((each for each in found if each), key=lambda each: -abs(each.value))


def _associate(first: str, second: str, columns: Mapping[str, SampledColumn]) -> Association | None:
    one, other = columns[first], columns[second]
    if one.numbers is not None and other.numbers is not None:
        measure, value = "r", _pearson(one.numbers, other.numbers)
    elif one.codes is not None and other.codes is not None and one.repeats and other.repeats:
        measure, value = "Cramér's V", cramers_v(one.codes, other.codes)
    else:
        return None
    if value is None:
        return None
    return Association(first=first, second=second, measure=measure, value=value)


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

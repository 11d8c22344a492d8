"""A sample of the train split as plain arrays, for measures that compare columns with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.common.artifacts import Kind
from components.data_validation.describe import Batch, is_categorical
from components.data_validation.messages import ArrowColumn, Numbers

SAMPLED_ROWS = 50_000
_MOST_CODES = 100  # distinct whole numbers that may stand for categories, too


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledColumn:
    """One column of the sample.

    Attributes:
        numbers: float64, NaN where missing or infinite; None for text.
        codes: int64 in [0, number of values), -1 where missing; None for numbers of many values.
        repeats: Whether the codes are categories: few values, each again and again.
    """

    numbers: Numbers | None
    codes: Numbers | None
    repeats: bool


def sample_train(batch: Batch) -> tuple[Numbers, dict[str, SampledColumn]]:
    """Draw rows of the train split.

    Args:
        batch: The batch. Personal columns, and columns without two distinct values, are left out.

    Returns:
        Positions of at most `SAMPLED_ROWS` rows, in order; the same batch gives the same rows. And the
        columns at these rows, in order.
    """
    rows = batch.tables["train"].num_rows
    at = np.arange(rows)
    if rows > SAMPLED_ROWS:
        at = np.sort(np.random.default_rng(0).choice(rows, SAMPLED_ROWS, replace=False))
    indices = pa.array(at)
    found: dict[str, SampledColumn] = {}
    for name, kind in batch.columns.items():
        if name not in batch.personal and batch.counts["train"][name].distinct > 1:
            found[name] = _sample(batch.column("train", name).take(indices), kind)
    return at, found


def _sample(column: ArrowColumn, kind: Kind) -> SampledColumn:
    if pa.types.is_large_string(column.type):
        encoded = column.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return _coded(None, codes, len(encoded.dictionary))
    numbers = column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    present = ~np.isnan(numbers)
    values = np.unique(numbers[present])
    if (kind == "float" and len(values) > 2) or len(values) > _MOST_CODES:
        return SampledColumn(numbers=numbers, codes=None, repeats=False)
    codes = np.full(len(numbers), -1)
    codes[present] = np.searchsorted(values, numbers[present])
    return _coded(numbers, codes, len(values))


def _coded(numbers: Numbers | None, codes: Numbers, distinct: int) -> SampledColumn:
    return SampledColumn(
        numbers=numbers, codes=codes, repeats=is_categorical(distinct, int((codes >= 0).sum()))
    )

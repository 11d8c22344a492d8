"""Encoding numbers piecewise linearly, so that a network sees where on its scale a number lies.

The method is that of Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular
Deep Learning, NeurIPS 2022 (section 3.2, bins from quantiles).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras as untyped
import numpy as np
from numpy.typing import NDArray

keras: Any = untyped  # its annotations call every number a string

_MOST_ROWS = 100_000  # quantiles of that many rows, evenly chosen, differ by noise alone


class Bins(NamedTuple):
    """The bins of all columns, one after the other.

    Attributes:
        column: Column of each bin, int32 `[bins]`.
        start: Its lower end, float32 `[bins]`.
        width: Its width, above 0, float32 `[bins]`.
        mean: Mean of its encoding over the train split, float32 `[bins]`; networks learn faster from
            what is 0 on average.
    """

    column: NDArray[Any]
    start: NDArray[Any]
    width: NDArray[Any]
    mean: NDArray[Any]


def find_bins(numbers: NDArray[Any], bins: int) -> Bins:
    """Cut each column at its quantiles.

    Args:
        numbers: float32 `[rows, columns]`.
        bins: Bins per column. A column of few values has fewer; one of two values or one has none, since
            its encoding would be the number itself.
    """
    sample = numbers[:: max(1, -(-len(numbers) // _MOST_ROWS))]
    found: list[NDArray[Any]] = []
    for column, values in enumerate(sample.T):
        quantiles = np.quantile(values, np.linspace(0, 1, bins + 1), method="nearest")
        edges = np.unique(quantiles.astype(np.float32))
        if len(edges) > 2:
            start, width = edges[:-1], np.diff(edges)
            mean = np.clip((values[:, None] - start) / width, 0.0, 1.0).mean(axis=0)
            found.append(np.stack([np.full(len(start), column), start, width, mean]))
    column, *ends = np.concatenate([np.empty((4, 0)), *found], axis=1).astype(np.float32)
    return Bins(column.astype(np.int32), *ends)


def encode_numbers(numbers: Any, bins: Bins) -> Any:
    """Encode as `[rows, bins]`, less the mean: 0 below a bin, 1 above it, and linear within."""
    if not len(bins.column):
        return numbers[:, :0]
    taken = keras.ops.take(numbers, bins.column, axis=1)
    return keras.ops.clip((taken - bins.start) / bins.width, 0.0, 1.0) - bins.mean

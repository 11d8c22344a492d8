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
    """

    column: NDArray[Any]
    start: NDArray[Any]
    width: NDArray[Any]


def find_bins(numbers: NDArray[Any], bins: int) -> Bins:
    """Cut each column at its quantiles.

    Args:
        numbers: float32 `[rows, columns]`.
        bins: Bins per column. A column of few values has fewer; one of two values or one has none, since
            its encoding would be the number itself.
    """
    sample = numbers[:: max(1, -(-len(numbers) // _MOST_ROWS))]
    columns, starts, widths = list[int](), list[float](), list[float]()
    for column in range(numbers.shape[1]):
        quantiles = np.quantile(sample[:, column], np.linspace(0, 1, bins + 1), method="nearest")
        edges = np.unique(quantiles.astype(np.float32))
        if len(edges) > 2:
            columns += [column] * (len(edges) - 1)
            starts += edges[:-1].tolist()
            widths += np.diff(edges).tolist()
    return Bins(np.array(columns, np.int32), np.array(starts, np.float32), np.array(widths, np.float32))


def encode_numbers(numbers: Any, bins: Bins) -> Any:
    """Encode `[rows, columns]` as `[rows, bins]`: 0 below a bin, 1 above it, linear within."""
    if not len(bins.column):
        return numbers[:, :0]
    taken = keras.ops.take(numbers, bins.column, axis=1)
    return keras.ops.clip((taken - bins.start) / bins.width, 0.0, 1.0)

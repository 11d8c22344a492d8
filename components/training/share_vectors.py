"""Giving an index a vector of its own only where there are rows to learn it from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_PARTS = 100  # an index with a hundredth of the rows is never rare


class Vectors(NamedTuple):
    """Where the vector of each index lies, in one table for all columns.

    Attributes:
        place: int32 `[sum of sizes]`, the columns one after the other.
        size: Of the table, in vectors; those of 0, 1, … `columns - 1` are the columns' shared ones.
    """

    place: NDArray[Any]
    size: int


def share_vectors(indices: NDArray[Any], sizes: Sequence[int], min_count: int) -> Vectors:
    """Let the indices of a column that are rare in the train split, or not in it, share one vector.

    What a network learns of a few rows is mostly their noise; the vector they share is also the best guess
    for a value that comes later and was never seen.

    Args:
        indices: int32 `[rows, columns]`, each below its column's size.
        sizes: Of the columns.
        min_count: Rows that an index needs, at most a hundredth of all.
    """
    needed = max(1, min(min_count, len(indices) // _PARTS))
    places: list[NDArray[Any]] = []
    count = len(sizes)
    for column, size in enumerate(sizes):
        own = np.bincount(indices[:, column], minlength=size) >= needed
        places.append(np.where(own, count + np.cumsum(own) - 1, column))
        count += int(own.sum())
    return Vectors(np.concatenate(places).astype(np.int32), count)

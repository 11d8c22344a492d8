"""Moments and correlations of several columns in one pass over batches, each pair over its common rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MIN_COMMON = 0.9  # share of the rows of either column in which both must have a value


@dataclass(kw_only=True)
class CoMoments:
    """Sums over what was added so far, of numbers brought into [-1, 1], so that none loses precision.

    Attributes:
        low: Bounds to which columns are clipped, `[columns]`.
        high: Likewise.
        count: Rows in which the column has a value, `[columns]`.
        total: Sum of its numbers there, `[columns]`.
        squares: Sum of their squares, `[columns]`.
        common: Rows in which both columns have one, `[columns, columns]`.
        sums: Sum of the row's column over the rows it has in common with the column's, likewise.
        square_sums: Sum of its squares over them.
        products: Sum of the products.
    """

    low: Numbers
    high: Numbers
    count: Numbers
    total: Numbers
    squares: Numbers
    common: Numbers
    sums: Numbers
    square_sums: Numbers
    products: Numbers

    @classmethod
    def of(cls, low: Numbers, high: Numbers) -> CoMoments:
        """Start with no rows of columns that lie between two bounds each."""
        vectors: dict[str, Numbers] = {name: np.zeros(len(low)) for name in ("count", "total", "squares")}
        tables = ("common", "sums", "square_sums", "products")
        matrices: dict[str, Numbers] = {name: np.zeros((len(low), len(low))) for name in tables}
        return cls(low=low, high=high, **vectors, **matrices)

    def add(self, values: Numbers, present: NDArray[np.bool_]) -> None:
        """Add rows: values `[rows, columns]`, and where there are any."""
        clipped = np.clip(values, self.low, self.high)
        scaled = np.where(present, (clipped - self._middle) / self._reach, 0.0)
        self.count += present.sum(axis=0)
        self.total += scaled.sum(axis=0)
        self.squares += (scaled * scaled).sum(axis=0)
        there = present.astype(np.float64)
        self.common += there.T @ there
        self.sums += scaled.T @ there
        self.square_sums += (scaled * scaled).T @ there
        self.products += scaled.T @ scaled

    def scales(self) -> tuple[Numbers, Numbers]:
        """Return mean and standard deviation (of the population) of every column, clipped."""
        count = np.maximum(self.count, 1)
        mean = self.total / count
        variance = np.maximum(self.squares / count - mean * mean, 0.0)
        return self._middle + self._reach * mean, self._reach * np.sqrt(variance)

    def correlated(self, columns: Sequence[int], *, above: float) -> Iterator[tuple[int, int, float]]:
        """Yield pairs whose absolute correlation (Pearson) is above a bound: later, earlier, correlation.

        Pairs that have values in common in fewer than nine of ten rows of either are left out.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            covariance = self.products - self.sums * self.sums.T / self.common
            variance = self.square_sums - self.sums**2 / self.common
            correlation = covariance / np.sqrt(variance * variance.T)
        enough = self.common >= MIN_COMMON * np.maximum(self.count, self.count[:, None])
        for place, later in enumerate(columns):
            for earlier in columns[:place]:
                value = float(correlation[later, earlier])
                if enough[later, earlier] and abs(value) > above:  # NaN, of a constant, is not
                    yield later, earlier, value

    @property
    def _middle(self) -> Numbers:
        return self.low / 2 + self.high / 2

    @property
    def _reach(self) -> Any:
        reach = self.high / 2 - self.low / 2
        return np.where(reach > 0, reach, 1.0)

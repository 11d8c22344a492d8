"""Describing a batch: TFDV's statistics per split, with exact counts where TFDV only estimates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.common.artifacts import Kind
from components.common.errors import BadInputError
from components.data_validation.conceal import conceal_feature
from components.data_validation.library import generate_statistics
from components.data_validation.messages import (
    ArrowColumn,
    ArrowTable,
    FeatureStatistics,
    Histogram,
    Numbers,
    SplitStatistics,
    Statistics,
)

HISTOGRAM_BUCKETS = 20
QUANTILE_BUCKETS = 20
RANKED_VALUES = 1000
ROWS_PER_VALUE = 10  # text with fewer rows a value is prose or keys, and new values are its nature
_TOP_VALUES = 20
_LONGEST_VALUE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnCounts:
    """Exact counts of one column in one split.

    Attributes:
        rows: All rows.
        null: Rows without a value.
        nan: Rows that hold NaN.
        infinite: Rows that hold an infinity.
        distinct: Distinct values, nulls and NaN left out.
    """

    rows: int
    null: int
    nan: int
    infinite: int
    distinct: int

    @property
    def missing(self) -> int:
        """Rows that enter a model as missing: null or NaN."""
        return self.null + self.nan

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return self.rows - self.missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One batch, described.

    Attributes:
        columns: Kind of each column, in order.
        tables: Rows by split.
        counts: `ColumnCounts` by split and column.
        statistics: One dataset per split, `name` = split, features in column order. Of personal columns
            they hold counts only.
        personal: Columns of which no value may be shown.
    """

    columns: Mapping[str, Kind]
    tables: Mapping[str, ArrowTable]
    counts: Mapping[str, Mapping[str, ColumnCounts]]
    statistics: Statistics
    personal: Collection[str] = ()

    def column(self, split: str, name: str) -> ArrowColumn:
        """Return one column of one split as one chunk; empty in a split without rows."""
        return _one_chunk(self.tables[split].column(name))


def describe_batch(
    tables: Mapping[str, ArrowTable], columns: Mapping[str, Kind], personal: Collection[str] = ()
) -> Batch:
    """Compute statistics and counts of every split.

    Args:
        tables: By split, one-chunk columns of int64, float64 or large_string.
        columns: Kind of each column, in order.
        personal: Columns of which nothing but counts may be kept.

    Returns:
        The batch. The same tables give the same bytes of statistics, in any process.

    Raises:
        BadInputError: The statistics do not cover every row that went in.
    """
    statistics, counts = Statistics(), dict[str, dict[str, ColumnCounts]]()
    for split, table in tables.items():
        dataset = _ask_tfdv(split, table)
        known = {feature.path.step[0]: feature for feature in dataset.features}
        described = {name: _describe_column(known.get(name), name, c) for name, c in _columns(table)}
        counts[split] = {name: found for name, (_, found) in described.items()}
        del dataset.features[:]
        for name, (feature, _) in described.items():
            dataset.features.append(conceal_feature(feature) if name in personal else feature)
        statistics.datasets.append(dataset)
    return Batch(columns=columns, tables=tables, counts=counts, statistics=statistics, personal=personal)


def _ask_tfdv(split: str, table: ArrowTable) -> SplitStatistics:
    names = table.column_names
    every = np.arange(table.num_rows + 1)
    lists = [_as_lists(column, every) for _, column in _columns(table)]
    found = generate_statistics(pa.RecordBatch.from_arrays(lists, names)).datasets
    dataset = SplitStatistics(name=split)
    if table.num_rows:  # TFDV describes no feature of an empty batch
        dataset.CopyFrom(found[0])
        dataset.name = split
    if dataset.num_examples != table.num_rows:
        what = f"statistics cover {dataset.num_examples} of {table.num_rows} rows"
        raise BadInputError(what, where=f"split `{split}`", fix="report this: rows were lost on the way")
    return dataset


def _columns(table: ArrowTable) -> list[tuple[str, ArrowColumn]]:
    return [(name, _one_chunk(table.column(name))) for name in table.column_names]


def _one_chunk(column: ArrowColumn) -> ArrowColumn:
    return column.chunk(0) if column.num_chunks == 1 else pa.array([], column.type)


def _as_lists(column: ArrowColumn, every: Numbers) -> ArrowColumn:
    """Wrap each value into a list of one, and each null into a null list: the form TFDV reads.

    `every` counts from 0 to the number of rows: the offsets of a column without nulls.
    """
    kind, rows = pa.large_list(column.type), len(column)
    if not column.null_count:
        return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(every)], children=[column])
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(valid, out=offsets[1:])
    buffers = [pa.py_buffer(np.packbits(valid, bitorder="little")), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(kind, rows, buffers, children=[column.drop_null()])


def _describe_column(
    feature: FeatureStatistics | None, name: str, column: ArrowColumn
) -> tuple[FeatureStatistics, ColumnCounts]:
    if feature is None:
        feature = FeatureStatistics()
        feature.path.step.append(name)
    if pa.types.is_large_string(column.type):
        feature.type = FeatureStatistics.STRING
        distinct = _rank_exactly(feature.string_stats, column)
        return feature, ColumnCounts(
            rows=len(column), null=column.null_count, nan=0, infinite=0, distinct=distinct
        )
    feature.type = FeatureStatistics.FLOAT if pa.types.is_floating(column.type) else FeatureStatistics.INT
    return feature, _describe_numbers(feature.num_stats, column)


def _describe_numbers(stats: Any, column: ArrowColumn) -> ColumnCounts:
    counted = column.drop_null().value_counts()
    values, counts = (counted.field(at).to_numpy(zero_copy_only=False) for at in (0, 1))
    nan, finite = np.isnan(values), np.isfinite(values)
    order = np.argsort(values[finite])
    _histograms_exactly(
        stats, values[finite][order].astype(np.float64), counts[finite][order],
        nan=int(counts[nan].sum()), whole=not pa.types.is_floating(column.type),
    )  # fmt: skip
    return ColumnCounts(
        rows=len(column), null=column.null_count, nan=int(counts[nan].sum()),
        infinite=int(counts[~nan & ~finite].sum()), distinct=int((~nan).sum()),
    )  # fmt: skip


def _rank_exactly(stats: Any, column: ArrowColumn) -> int:
    """Replace TFDV's sketch, above 1,024 values approximate and in no fixed order; count the values."""
    counted = column.drop_null().value_counts()
    order = [("count", "descending"), ("value", "ascending")]
    table = pa.table({"value": counted.field(0), "count": counted.field(1)})
    ranked = table.sort_by(order).slice(0, RANKED_VALUES).to_pylist()
    stats.ClearField("top_values")
    stats.ClearField("rank_histogram")
    stats.unique = table.num_rows
    longest = None if is_categorical(table.num_rows, len(column) - column.null_count) else _LONGEST_VALUE
    for rank, row in enumerate(ranked):
        value, count = row["value"][:longest], float(row["count"])
        stats.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=count)
        if rank < _TOP_VALUES:
            stats.top_values.add(value=value, frequency=count)
    return table.num_rows


def _histograms_exactly(stats: Any, values: Numbers, counts: Numbers, *, nan: int, whole: bool) -> None:
    """Replace TFDV's sketches by exact counts: equal-width buckets to look at, quantiles to compare by.

    Values are distinct and in order, each with its count.
    """
    del stats.histograms[:]
    if not len(values):
        return
    edges = _even_edges(float(values[0]), float(values[-1]), whole)
    if np.isfinite(edges).all():
        _add_histogram(
            stats, Histogram.STANDARD, edges, np.histogram(values, edges, weights=counts)[0], nan
        )
    below = np.cumsum(counts)  # rows up to and with each value
    ranks = -(-below[-1] * np.arange(1, QUANTILE_BUCKETS + 1) // QUANTILE_BUCKETS)
    at = np.unique(np.searchsorted(below, ranks))
    stats.median = values[np.searchsorted(below, -(-below[-1] // 2))]
    edges = np.array([values[0], *values[at]])
    _add_histogram(stats, Histogram.QUANTILES, edges, np.diff(below[at], prepend=0), nan)


def _even_edges(low: float, high: float, whole: bool) -> Numbers:
    if whole:  # every bucket holds equally many whole numbers
        width = max(1, -(-(high + 1 - low) // HISTOGRAM_BUCKETS))
        return np.arange(low, high + 1 + width, width)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.linspace(low, high, HISTOGRAM_BUCKETS + 1) if low < high else np.array([low, high])


def _add_histogram(stats: Any, kind: int, edges: Numbers, counts: Numbers, nan: int) -> None:
    histogram = stats.histograms.add(type=kind, num_nan=nan)
    for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=False):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=float(count))


def is_categorical(distinct: int, present: int) -> bool:
    """Tell text that takes few values again and again from prose and keys."""
    return 0 < distinct <= RANKED_VALUES and distinct * ROWS_PER_VALUE <= present


def finite_numbers(column: ArrowColumn) -> Numbers:
    """Return the finite values of a numeric column as float64; nulls, NaN and infinities are left out."""
    numbers = column.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers[np.isfinite(numbers)]


def count_between(numbers: Numbers, edges: Numbers) -> Numbers:
    """Count numbers up to each edge, above the edge before it; the last count is of those above all."""
    return np.bincount(np.searchsorted(edges, numbers, side="left"), minlength=len(edges) + 1)

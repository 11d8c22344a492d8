"""Writing the splits: Parquet whose bytes depend on the rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from components.common.artifacts import SPLITS
from components.ingestion.query import Column

_GROUP_ROWS = 100_000
_BATCH_ROWS = 20_000
_TYPES = {"integer": pa.int64(), "boolean": pa.int64(), "float": pa.float64()}


@dataclass(frozen=True)
class WrittenRows:
    """What was written.

    Attributes:
        rows: Rows by split.
        without: Rows that belong to no split and were left out.
        cut: For each timestamp, the values that lost a fraction of a second.
    """

    rows: dict[str, int]
    without: int
    cut: dict[str, int]


def write_splits(
    connection: duckdb.DuckDBPyConnection, selection: str, columns: Sequence[Column], folder: Path
) -> WrittenRows:
    """Write `train/`, `eval/` and `test/part-00000.parquet`, holding one group of rows at a time.

    Every column may hold nulls in the file's schema, whether it does or not, so that the files of all
    splits are of one schema.

    Args:
        connection: The database.
        selection: SQL of the columns, of whether each timestamp is cut, and, last, of the position of the
            split; sorted by it.
        columns: Columns to write.
        folder: A folder to make.
    """
    schema = pa.schema([(column.name, _TYPES.get(column.kind, pa.string())) for column in columns])
    rows: dict[int, int] = {}
    cut = {column.name: 0 for column in columns if column.kind == "timestamp"}
    without = 0
    batches = connection.sql(selection).to_arrow_reader(_BATCH_ROWS)
    for split, pieces in groupby(_by_split(batches), key=itemgetter(0)):
        tables = (_count_cut(table, cut) for _, table in pieces)
        if split is None:
            without = sum(len(table) for table in tables)
        else:
            rows[split] = _write(folder / SPLITS[split], tables, schema)
    for split in set(range(len(SPLITS))) - set(rows):
        rows[split] = _write(folder / SPLITS[split], (), schema)
    return WrittenRows({name: rows[split] for split, name in enumerate(SPLITS)}, without, cut)


def _count_cut(table: Any, cut: dict[str, int]) -> Any:
    """Count the cut values of a table, and return it without the columns that tell them."""
    columns = table.num_columns - len(cut)
    for at, name in enumerate(cut, columns):
        cut[name] += sum(chunk.true_count for chunk in table.column(at).chunks)
    return table.select(list(range(columns)))


def _by_split(batches: Iterable[Any]) -> Iterator[tuple[int | None, Any]]:
    """Cut batches where the split changes; they are sorted by it."""
    for batch in batches:
        table: Any = pa.Table.from_batches([batch])
        last, start = table.num_columns - 1, 0
        for counted in table.column(last).value_counts().to_pylist():  # in the order of first places
            yield counted["values"], table.slice(start, counted["counts"]).remove_column(last)
            start += counted["counts"]


def _write(folder: Path, tables: Iterable[Any], schema: Any) -> int:
    folder.mkdir(parents=True)
    rows = 0
    path = folder / "part-00000.parquet"
    with pq.ParquetWriter(path, schema, compression="zstd") as writer, ThreadPoolExecutor(1) as pool:
        written = pool.submit(int)  # one group is compressed while the database brings the next
        for group in _groups(tables, schema):
            written.result()
            written = pool.submit(writer.write_table, group, row_group_size=_GROUP_ROWS)
            rows += len(group)
        written.result()
    return rows


def _groups(tables: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Cut tables, whose lengths depend on threads, into groups of equal length."""
    pending = schema.empty_table()
    for table in tables:
        pending = pa.concat_tables([pending, table.cast(schema)])
        while len(pending) >= _GROUP_ROWS:
            yield pending.slice(0, _GROUP_ROWS).combine_chunks()
            pending = pending.slice(_GROUP_ROWS)
    if len(pending):
        yield pending.combine_chunks()

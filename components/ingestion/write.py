"""Writing the splits: Parquet whose bytes depend on the rows alone."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from components.common.artifacts import SPLITS
from components.ingestion.database import identifier, literal
from components.ingestion.divide import ORDER, SPLIT
from components.ingestion.query import Column

_GROUP_ROWS = 100_000
_TYPES = {"integer": pa.int64(), "boolean": pa.int64(), "float": pa.float64()}


def write_splits(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], folder: Path) -> None:
    """Write `train/`, `eval/` and `test/part-00000.parquet` from the table `rows`, in its order.

    Every column may hold nulls in the file's schema, whether it does or not, so that the files of all
    splits are of one schema.

    Args:
        connection: The database.
        columns: Columns to write.
        folder: A folder to make.
    """
    schema = pa.schema([(column.name, _TYPES.get(column.kind, pa.string())) for column in columns])
    names = ", ".join(identifier(column.name) for column in columns)
    for split in SPLITS:
        target = folder / split / "part-00000.parquet"
        target.parent.mkdir(parents=True)
        rows = connection.sql(f"SELECT {names} FROM rows WHERE {SPLIT} = {literal(split)} ORDER BY {ORDER}")
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for group in _groups(rows.to_arrow_reader(_GROUP_ROWS), schema):
                writer.write_table(group, row_group_size=_GROUP_ROWS)


def _groups(batches: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Cut batches, whose lengths depend on threads, into groups of equal length."""
    pending = schema.empty_table()
    for batch in batches:
        pending = pa.concat_tables([pending, pa.Table.from_batches([batch]).cast(schema)])
        while len(pending) >= _GROUP_ROWS:
            yield pending.slice(0, _GROUP_ROWS).combine_chunks()
            pending = pending.slice(_GROUP_ROWS)
    if len(pending):
        yield pending.combine_chunks()

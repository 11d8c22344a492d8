"""Reading the columns: their kinds from the schema, their values from Parquet in bounded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from components.common.artifacts import Kind, split_files
from components.common.errors import BadInputError
from components.common.schemas import personal_columns, read_features, schema_pb2


def read_kinds(schema: Path) -> dict[str, Kind]:
    """Return the kind of each column, in the schema's order.

    Args:
        schema: Folder with `schema.pbtxt`, written by data validation.

    Raises:
        BadInputError: The file is missing, is no schema, or names no column.
    """
    return {feature.name: _kind(feature) for feature in _read_some(schema)}


def read_personal(schema: Path) -> frozenset[str]:
    """Return the columns that the schema tags as personal; raises like `read_kinds`."""
    return personal_columns(_read_some(schema))


def _read_some(schema: Path) -> Sequence[Any]:
    if features := read_features(schema):
        return features
    where = schema / "schema.pbtxt"
    raise BadInputError("schema names no column", where=where, fix="run data validation again")


def read_batches(examples: Path, split: str, columns: Sequence[str], *, batch_rows: int) -> Iterator[Any]:
    """Yield a split's Arrow record batches of at most `batch_rows` rows, in order, never empty.

    Raises:
        BadInputError: The split has no file, or a file lacks a column.
    """
    for file in split_files(examples, split):
        yield from read_file(file, columns, batch_rows=batch_rows)


def read_file(file: Path, columns: Sequence[str], *, batch_rows: int) -> Iterator[Any]:
    """Yield one file's record batches, likewise.

    Raises:
        BadInputError: The file lacks a column.
    """
    with pq.ParquetFile(file) as parquet:
        if missing := sorted(set(columns) - set(parquet.schema_arrow.names)):
            fix = "examples and schema are of different data: validate these examples"
            raise BadInputError("columns are missing", where=file, value=missing, fix=fix)
        for batch in parquet.iter_batches(batch_rows, columns=list(columns), use_threads=False):
            if batch.num_rows:
                yield batch


def _kind(feature: Any) -> Kind:
    if feature.HasField("time_domain"):
        return "timestamp" if "%H" in feature.time_domain.string_format else "date"
    if feature.HasField("bool_domain"):
        return "boolean"
    kinds: dict[int, Kind] = {
        schema_pb2.INT: "integer",
        schema_pb2.FLOAT: "float",
        schema_pb2.BYTES: "string",
    }
    if feature.type not in kinds:
        raise BadInputError("column has no usable type", where=f"schema, feature `{feature.name}`")
    return kinds[feature.type]

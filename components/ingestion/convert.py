"""Arrow and Avro files as Parquet, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from components.common.errors import BadInputError

_BATCH_ROWS = 16_384
_PLAIN = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "enum": pa.string(),
    "null": pa.null(),
}
_LOGICAL = {
    "date": pa.date32(),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "uuid": pa.string(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
}


def convert_arrow(path: Path, target: Path, *, uri: str) -> Path:
    """Write an Arrow file (Feather version 2), or an Arrow stream, as Parquet.

    Raises:
        BadInputError: The file is cut or corrupt, or has a type that Parquet lacks.
    """
    try:
        with pa.memory_map(str(path)) as data:
            whole = data.read(6) == b"ARROW1"
            data.seek(0)
            if whole:
                reader = pa.ipc.open_file(data)
                batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            else:
                reader = pa.ipc.open_stream(data)
                batches = iter(reader)
            require_kept(reader.schema, uri)
            return write_parquet(batches, reader.schema, target)
    except (pa.ArrowException, OSError) as error:
        what = f"not a complete Arrow file: {str(error).splitlines()[0]}"
        raise BadInputError(what, where=uri, fix="write it again") from error


def convert_avro(path: Path, target: Path, *, uri: str) -> Path:
    """Write an Avro file as Parquet.

    Raises:
        BadInputError: The file is cut or corrupt, holds no records, or a column is nested.
    """
    with path.open("rb") as stream:
        try:
            reader = fastavro.reader(stream)
            schema = _arrow_schema(reader.writer_schema, uri)
            return write_parquet(_batches(reader, schema), schema, target)
        except (ValueError, EOFError, IndexError, KeyError, TypeError, OSError) as error:
            what = f"not a complete Avro file: {error or type(error).__name__}"
            raise BadInputError(what, where=uri, fix="write it again") from error


def require_kept(schema: Any, where: str) -> None:
    """Refuse spans of time, which would be read as whole numbers without their unit.

    Raises:
        BadInputError: A column is a duration or an interval.
    """
    for column in schema:
        if pa.types.is_duration(column.type) or pa.types.is_interval(column.type):
            fix = "write it as a number, in a unit that its name tells, or leave it out"
            what = f"column `{column.name}` is of a type that is not kept"
            raise BadInputError(what, where=where, value=str(column.type), fix=fix)


def write_parquet(batches: Iterable[Any], schema: Any, target: Path) -> Path:
    """Write Arrow record batches of one schema as a Parquet file, never holding more than one."""
    with pq.ParquetWriter(target, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return target


def _batches(records: Iterable[Any], schema: Any) -> Iterator[Any]:
    rows = iter(records)
    while taken := list(islice(rows, _BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(taken, schema)


def _arrow_schema(schema: Any, uri: str) -> Any:
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise BadInputError("an Avro file must hold records", where=uri, value=schema)
    return pa.schema(
        [(field["name"], _arrow_type(field["name"], field["type"], uri)) for field in schema["fields"]]
    )


def _arrow_type(name: str, declared: Any, uri: str) -> Any:
    if isinstance(declared, list):  # a union: with null it is a column that may be missing
        others = [one for one in declared if one != "null"]
        declared = others[0] if len(others) == 1 else "union"
    plain, logical = declared, None
    if isinstance(declared, dict):
        plain, logical = declared["type"], declared.get("logicalType")
    if logical == "decimal":
        return pa.decimal128(declared["precision"], declared.get("scale", 0))
    if (found := _LOGICAL.get(str(logical)) or _PLAIN.get(str(plain))) is None:
        fix = "flatten it before, or leave it out"
        raise BadInputError(
            f"column `{name}` is of a type that is not kept", where=uri, value=declared, fix=fix
        )
    return found

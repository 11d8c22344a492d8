"""Reading what is to be validated: the splits as Arrow tables, and the baseline's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from components.common.artifacts import SPLITS, Kind, Snapshot, baseline_model, split_files
from components.common.errors import BadInputError
from components.data_validation.messages import ArrowColumn, ArrowTable, Schema, Statistics

_PHYSICAL: Mapping[Kind, pa.DataType] = {
    "integer": pa.int64(),
    "boolean": pa.int64(),
    "float": pa.float64(),
    "string": pa.large_string(),
    "date": pa.large_string(),
    "timestamp": pa.large_string(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """What the model that now serves was trained on.

    Attributes:
        schema: The schema it was trained by.
        statistics: One dataset per split, `train` among them.
    """

    schema: Schema
    statistics: Statistics


def read_examples(examples: Path, snapshot: Snapshot) -> dict[str, ArrowTable]:
    """Read the splits of an artifact `examples`.

    Args:
        examples: Folder with a sub-folder of Parquet files per split.
        snapshot: What ingestion says is in them.

    Returns:
        By split, in the order of `SPLITS`, a table of the snapshot's columns in order; each column is
        one chunk of int64, float64 or large_string.

    Raises:
        BadInputError: A split is missing, a file is unreadable, or names, order, physical types or
            number of rows are not those of the snapshot.
    """
    return {split: _read_split(examples, split, snapshot) for split in SPLITS}


def _read_split(examples: Path, split: str, snapshot: Snapshot) -> ArrowTable:
    files = split_files(examples, split)
    table = pa.concat_tables([_read_file(file, snapshot.columns) for file in files]).combine_chunks()
    if table.num_rows != snapshot.rows.get(split):
        what = f"split `{split}` has {table.num_rows} rows and the snapshot says {snapshot.rows.get(split)}"
        raise BadInputError(what, where=examples / split, fix="run the ingestion again")
    return table


def _read_file(file: Path, columns: Mapping[str, Kind]) -> ArrowTable:
    try:
        table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        fix = "the file is damaged: run the ingestion again"
        raise BadInputError(f"not readable as Parquet: {error}", where=file, fix=fix) from error
    if table.column_names != list(columns):
        what = f"columns are not the snapshot's {list(columns)}"
        raise BadInputError(what, where=file, value=table.column_names, fix="run the ingestion again")
    fields = [_typed(table.column(name), name, kind, file) for name, kind in columns.items()]
    return pa.table(fields, names=list(columns))


def _typed(column: ArrowColumn, name: str, kind: Kind, file: Path) -> ArrowColumn:
    wanted = _PHYSICAL[kind]
    found = pa.large_string() if pa.types.is_string(column.type) else column.type
    if found != wanted:
        what = f"column `{name}` of kind {kind} must be stored as {wanted}"
        raise BadInputError(what, where=file, value=str(column.type), fix="run the ingestion again")
    return column.cast(wanted)


def read_baseline(baseline: Path) -> Baseline | None:
    """Read schema and statistics of the model inside an artifact `baseline`.

    Returns:
        None when the artifact says that there is no model to compare with.

    Raises:
        BadInputError: A file is missing or malformed, or there are no statistics of the train split.
    """
    model = baseline_model(baseline)
    if model is None:
        return None
    statistics = _read_statistics(model / "statistics.pb")
    return Baseline(schema=_read_schema(model / "schema.pbtxt"), statistics=statistics)


_FIX = "point `baseline_uri` at a complete model, or deploy one anew"


def _read_schema(file: Path) -> Schema:
    try:
        schema = text_format.Parse(file.read_text(encoding="utf-8"), Schema())
    except (OSError, ValueError, text_format.ParseError) as error:
        raise BadInputError(f"not readable as a schema: {error}", where=file, fix=_FIX) from error
    if not schema.feature:
        raise BadInputError("the schema has no feature", where=file, fix=_FIX)
    return schema


def _read_statistics(file: Path) -> Statistics:
    statistics = Statistics()
    try:
        statistics.ParseFromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        raise BadInputError(f"not readable as statistics: {error}", where=file, fix=_FIX) from error
    if "train" not in [dataset.name for dataset in statistics.datasets]:
        raise BadInputError("the statistics have no train split", where=file, fix=_FIX)
    return statistics

"""Reading a split: raw columns, and labels as the model counts them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.common.artifacts import ModelRecord, split_files
from components.common.config import require_known
from components.common.encoding import class_name, encode_label
from components.common.errors import BadInputError


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """Rows of a split that can be judged.

    Attributes:
        table: Raw columns of `rows` rows.
        labels: `[rows]`: class indices (int64), or values (float64) for regression.
        unlabelled: Rows left out because their label is missing.
        unknown: Rows left out because the model has no such class, by label value.
    """

    table: Any
    labels: NDArray[Any]
    unlabelled: int
    unknown: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows that are judged."""
        return len(self.labels)


def read_rows(
    examples: Path,
    split: str,
    record: ModelRecord,
    *,
    columns: Collection[str],
    required: Collection[str] = (),
    where: str = "slices",
    most_rows: int | None = None,
) -> LabelledRows:
    """Read a raw split and separate the rows whose label can be judged.

    Args:
        examples: Folder of splits, from ingestion.
        split: `train`, `eval` or `test`.
        record: Names the label, the task and the classes.
        columns: Columns that models may want; those that the data lack are not read.
        required: Columns that must be there too.
        where: Parameter that named them.
        most_rows: Read no more, spread evenly over the split; None reads all.

    Raises:
        BadInputError: The label or a required column is not in the data (the nearest is suggested), a
            file is not Parquet, or no row is left.
    """
    files = split_files(examples, split)
    try:
        present: list[str] = pq.read_schema(files[0]).names
        require_known([record.label], present, where="label")
        require_known(required, present, where=where)
        wanted = {*columns, *required, record.label}
        table = _read_table(files, [name for name in present if name in wanted], most_rows)
    except pa.ArrowException as error:
        raise BadInputError(f"not readable as Parquet: {error}", where=examples / split) from error
    labels, unknown = encode_labels(table.column(record.label), record)
    missing = np.isnan(labels)
    known = ~missing & (labels >= 0) if record.task != "regression" else ~missing
    if not known.any():
        fix = f"give the {split} split more rows, or check the label column"
        raise BadInputError(f"no row of the {split} split has a label", where=examples / split, fix=fix)
    kept = labels[known] if record.task == "regression" else labels[known].astype(np.int64)
    return LabelledRows(
        table=table.filter(pa.array(known)), labels=kept, unlabelled=int(missing.sum()), unknown=unknown
    )


def encode_labels(column: Any, record: ModelRecord) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Turn raw labels into class indices or values.

    Args:
        column: Arrow array of int64, float64 or string.
        record: Task and classes.

    Returns:
        `[rows]` floats, NaN where the label is missing (a label that is not finite counts as missing)
        and -1 where the model has no such class; and the rows of each unknown class.

    Raises:
        BadInputError: A regression's label is text.
    """
    encoded = column.combine_chunks().dictionary_encode()
    distinct: list[Any] = encoded.dictionary.to_pylist()
    numbers = np.append(_encode_distinct(distinct, record), math.nan)
    codes = np.asarray(encoded.indices.fill_null(len(distinct)), np.int64)
    if record.task == "regression":
        return numbers[codes], {}
    counts = Counter(codes[numbers[codes] == -1].tolist())
    return numbers[codes], {class_name(distinct[code]): rows for code, rows in sorted(counts.items())}


def _encode_distinct(values: Sequence[Any], record: ModelRecord) -> NDArray[np.float64]:
    absent = [isinstance(value, float) and not math.isfinite(value) for value in values]
    if record.task != "regression":
        found, known = encode_label(values, record.task, record.classes)
        numbers = np.where(known, found, -1).astype(np.float64)
    elif text := [value for value in values if isinstance(value, str)]:
        raise BadInputError("a regression needs numbers", where=f"label `{record.label}`", value=text[0])
    else:
        numbers = np.array(values, np.float64)  # not rounded to float32, as learning rounds it
    numbers[absent] = math.nan
    return numbers


def _read_table(files: Sequence[Path], names: list[str], most_rows: int | None) -> Any:
    parquets = [pq.ParquetFile(file) for file in files]
    rows = sum(parquet.metadata.num_rows for parquet in parquets)
    if most_rows is None or rows <= most_rows:
        return pa.concat_tables([parquet.read(columns=names) for parquet in parquets])
    chosen, start, batches = np.arange(most_rows) * rows // most_rows, 0, list[Any]()
    for parquet in parquets:
        for batch in parquet.iter_batches(columns=names):
            here = chosen[(chosen >= start) & (chosen < start + batch.num_rows)] - start
            batches.append(batch.take(pa.array(here)))
            start += batch.num_rows
    return pa.Table.from_batches(batches)

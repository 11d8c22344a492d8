"""Applying the graph to Parquet in bounded batches: no Beam, equal to Beam's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.common.artifacts import Kind, Task
from components.common.encoding import DATATYPES, encode_column, encode_label
from components.common.errors import BadInputError
from components.transform.library import tf
from components.transform.read_columns import read_batches

Apply = Callable[[dict[str, Any]], dict[str, Any]]  # raw tensors by name to transformed ones


class Applied(NamedTuple):
    """What came of one split.

    Attributes:
        rows: Rows written.
        unlabelled: Rows left out: their label is null, not finite, or no class of the train split.
        largest: Largest value of each int64 feature; -1 when no row was written.
    """

    rows: int
    unlabelled: int
    largest: dict[str, int]


def load_graph(transform_graph: Path) -> Apply:
    """Load the graph once and return it as a function of raw tensors by name.

    TFT's own layer would trace it anew, which takes ten times as long as loading it.
    """
    model: Any = tf.saved_model.load(str(transform_graph / "transform_fn"))

    def apply(raw: dict[str, Any]) -> dict[str, Any]:
        return model.transform_fn(raw)

    return apply


def apply_graph(
    apply: Apply,
    examples: Path,
    split: str,
    *,
    inputs: Mapping[str, Kind],
    features: Sequence[str],
    label: str,
    task: Task,
    classes: Sequence[str],
    transformed: Path,
    batch_rows: int,
) -> Applied:
    """Transform one split.

    Args:
        apply: What `load_graph` returned.
        examples: Folder of the raw splits.
        split: `train` or `eval`.
        inputs: Columns that the graph takes.
        features: Outputs of the graph in the order of the columns to write.
        label: Label column; becomes the column `label`.
        task: What is learnt.
        classes: Label values by class index.
        transformed: Folder to write `<split>/part-00000.parquet` into.
        batch_rows: Rows held in memory at a time.

    Raises:
        BadInputError: No row of the split has a label that can be used.
    """
    folder = transformed / split
    folder.mkdir(parents=True)
    rows = unlabelled = 0
    largest: dict[str, int] = {}
    writer: Any = None
    try:
        for batch in read_batches(examples, split, [*inputs, label], batch_rows=batch_rows):
            answer, known = encode_label(batch.column(label), task, classes)
            tensors = apply(raw_tensors(batch, inputs))
            columns = {name: tensors[name].numpy()[known] for name in features}
            table = pa.table({**columns, "label": answer[known]})
            writer = writer or pq.ParquetWriter(
                folder / "part-00000.parquet", table.schema, compression="zstd"
            )
            writer.write_table(table)
            rows, unlabelled = rows + table.num_rows, unlabelled + int((~known).sum())
            _raise_largest(largest, columns)
    finally:
        if writer is not None:
            writer.close()
    if rows == 0:
        fix = "check the label and the split"
        raise BadInputError(
            "no row has a usable label", where=f"split `{split}`", value=unlabelled, fix=fix
        )
    return Applied(rows, unlabelled, largest)


def raw_tensors(batch: Any, inputs: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the tensors that a graph takes of a record batch."""
    return {
        name: tf.constant(encode_column(batch.column(name), DATATYPES[kind], name=name))
        for name, kind in inputs.items()
    }


def _raise_largest(largest: dict[str, int], columns: Mapping[str, Any]) -> None:
    for name, values in columns.items():
        if values.dtype == np.int64:
            largest[name] = max(largest.get(name, -1), int(values.max(initial=-1)))

"""Reading transformed examples: two matrices a split, ready for batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.common.artifacts import TransformSummary, split_files
from components.common.errors import BadInputError


class Layout(NamedTuple):
    """How features are packed into two matrices.

    Attributes:
        numbers: Names of the float32 features, in the order of the columns of `numbers`.
        indices: Names of the index features, in the order of the columns of `indices`.
        sizes: Size of each index feature: its values are below it.
    """

    numbers: list[str]
    indices: list[str]
    sizes: list[int]


class Arrays(NamedTuple):
    """One split in memory.

    Attributes:
        inputs: `numbers`, float32 `[rows, len(layout.numbers)]`, and `indices`, int32
            `[rows, len(layout.indices)]`; a matrix without columns is left out.
        label: `[rows]`, float32 or int64 as in `TransformSummary`.
    """

    inputs: dict[str, NDArray[Any]]
    label: NDArray[Any]

    def take(self, rows: NDArray[Any]) -> Arrays:
        """Return some rows, by their positions."""
        return Arrays({name: matrix[rows] for name, matrix in self.inputs.items()}, self.label[rows])


def lay_out(summary: TransformSummary) -> Layout:
    """Return the packing of a transform's features."""
    numbers = [feature["name"] for feature in summary.features if feature["encoding"] == "number"]
    indices = [feature for feature in summary.features if feature["encoding"] == "index"]
    return Layout(
        numbers, [feature["name"] for feature in indices], [feature["size"] for feature in indices]
    )


def read_arrays(transformed_examples: Path, split: str, layout: Layout) -> Arrays:
    """Read one split.

    Raises:
        BadInputError: The split has no file, no row, or lacks a feature of the transform.
    """
    names = [*layout.numbers, *layout.indices, "label"]
    tables = [_read(file, names) for file in split_files(transformed_examples, split)]
    columns = {name: np.concatenate([table[name] for table in tables]) for name in names}
    if not len(columns["label"]):
        raise BadInputError("split has no row", where=f"transformed examples, split `{split}`")
    return Arrays(pack(columns, layout), columns["label"])


def pack(columns: Mapping[str, NDArray[Any]], layout: Layout) -> dict[str, NDArray[Any]]:
    """Pack transformed columns `[rows]` into the model's inputs."""
    inputs: dict[str, NDArray[Any]] = {}
    if layout.numbers:
        inputs["numbers"] = np.stack([columns[name] for name in layout.numbers], axis=1).astype(np.float32)
    if layout.indices:
        inputs["indices"] = np.stack([columns[name] for name in layout.indices], axis=1).astype(np.int32)
    return inputs


def _read(file: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    table = pq.read_table(file, memory_map=True)
    if missing := sorted(set(names) - set(table.column_names)):
        fix = "these examples are of another transform: run the transform again"
        raise BadInputError("transformed columns are missing", where=file, value=missing, fix=fix)
    return {name: table.column(name).to_numpy() for name in names}

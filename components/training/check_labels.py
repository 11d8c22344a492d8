"""Checking the labels that a trial is to learn, before any is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from components.common.artifacts import TransformSummary, split_files
from components.common.config import require_known
from components.common.errors import BadInputError
from components.training.config import ClassWeight


def check_labels(transformed_examples: Path, summary: TransformSummary) -> None:
    """Refuse labels from which nothing can be learnt, or by which nothing can be judged.

    Args:
        transformed_examples: Folder of the transform.
        summary: Its summary.

    Raises:
        BadInputError: A split has no row; a class label has one class only in `train`, or, when binary, in
            `eval`; or a number to predict is always the same in `train`.
    """
    for split in ("train", "eval"):
        labels = _distinct(transformed_examples, split)
        where = f"label `{summary.label}`, split `{split}`"
        if not labels:
            raise BadInputError("split has no row", where=where, fix="divide the rows otherwise")
        if len(labels) > 1 or (split == "eval" and summary.task != "binary"):
            continue
        value = min(labels)
        named = summary.classes[int(value)] if summary.classes else value
        what = "all rows are of one class" if summary.classes else "all rows have one value"
        raise BadInputError(
            what, where=where, value=named, fix="check the label, or divide the rows otherwise"
        )


def check_class_weight(class_weight: ClassWeight, summary: TransformSummary) -> None:
    """Refuse weights of classes that the label does not have.

    Raises:
        BadInputError: A named class is none of the label's, or the label has no classes.
    """
    where = "parameter `training.class_weight`"
    if class_weight is not None and not summary.classes:
        raise BadInputError("a regression label has no classes", where=where, value=class_weight)
    if isinstance(class_weight, Mapping):
        require_known(class_weight, summary.classes, where=where)


def _distinct(transformed_examples: Path, split: str) -> set[float]:
    found = set[float]()
    for file in split_files(transformed_examples, split):
        opened = pq.ParquetFile(file, pre_buffer=False)
        if "label" not in opened.schema_arrow.names:
            fix = "these examples are of another transform: run the transform again"
            raise BadInputError("column `label` is missing", where=file, fix=fix)
        # without threads, with which this process could not be copied for a trial: see `run_module`
        labels = opened.read(columns=["label"], use_threads=False).column("label")
        found |= set(labels.unique().to_pylist())
    return found

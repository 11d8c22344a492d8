"""The reference: scikit-learn's gradient boosting, so that nobody is fooled by a weak search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from components.common.errors import BadInputError
from components.evaluation.predict import LoadedModel
from components.evaluation.read import read_rows

_MOST_CATEGORIES = 254  # scikit-learn takes 255 bins
_FEWEST_ROWS = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Column:
    """How one raw column becomes numbers; `codes` of its frequent texts, None for what is a number."""

    name: str
    kind: str
    codes: dict[str, int] | None = None


def answer_as_reference(
    model: LoadedModel, examples: Path, table: Any, *, most_rows: int
) -> tuple[NDArray[np.float64], int]:
    """Fit scikit-learn's histogram gradient boosting on training rows and answer other rows.

    It has scikit-learn's own settings, a fixed seed and one thread, so that it repeats to the last bit.

    Args:
        model: Names task, classes and the raw columns.
        examples: Folder of splits; `train` is read.
        table: Raw rows to answer; a column that they lack is missing in all of them.
        most_rows: Most training rows, spread evenly over the split.

    Returns:
        Answers as a model would give them, `[rows]` or `[rows, classes]`; and how many rows it learnt from.

    Raises:
        BadInputError: The train split is missing, or has too little to learn from.
    """
    rows = read_rows(examples, "train", model.record, columns=model.inputs, most_rows=most_rows)
    learnt: Any = rows.labels
    if rows.rows < _FEWEST_ROWS or len(np.unique(learnt)) < 2:
        raise BadInputError("the train split has too little to learn from", where=examples / "train")
    kinds = {entry["name"]: str(entry["kind"]) for entry in model.signature.inputs}
    columns = [
        _describe(name, kinds[name], rows.table) for name in model.inputs if name in _names(rows.table)
    ]
    with threadpool_limits(1, user_api="openmp"):  # of this thread; BLAS would be the whole process's
        booster = _make(model.record.task, columns).fit(_encode(columns, rows.table), learnt)
        return _answer(booster, model, _encode(columns, table)), rows.rows


def _make(task: str, columns: Sequence[_Column]) -> Any:
    kind: Any = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(categorical_features=[column.codes is not None for column in columns], random_state=0)


def _answer(booster: Any, model: LoadedModel, inputs: Floats) -> Floats:
    if model.record.task == "regression":
        return booster.predict(inputs)
    probabilities = np.zeros((len(inputs), len(model.record.classes)))
    probabilities[:, booster.classes_.astype(np.int64)] = booster.predict_proba(inputs)
    return probabilities[:, 1] if model.record.task == "binary" else probabilities


def _describe(name: str, kind: str, table: Any) -> _Column:
    if kind != "string":
        return _Column(name=name, kind=kind)
    counted = table.column(name).combine_chunks().value_counts().to_pylist()
    texts = [entry for entry in counted if entry["values"] is not None]
    frequent = sorted(texts, key=lambda entry: (-entry["counts"], entry["values"]))[:_MOST_CATEGORIES]
    return _Column(
        name=name, kind=kind, codes={entry["values"]: code for code, entry in enumerate(frequent)}
    )


def _encode(columns: Sequence[_Column], table: Any) -> Floats:
    present = _names(table)
    empty = np.full(table.num_rows, np.nan)
    return np.column_stack(
        [
            _numbers(column, table.column(column.name)) if column.name in present else empty
            for column in columns
        ]
    )


def _numbers(column: _Column, values: Any) -> Floats:
    """Return numbers `[rows]`, NaN where missing: codes of texts, days of dates, the rest as it is."""
    if column.codes is None and column.kind not in ("date", "timestamp"):
        numbers = np.asarray(values.cast("float64").fill_null(np.nan), np.float64)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    encoded = values.combine_chunks().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    if column.codes is not None:
        mapped = [float(column.codes.get(value, np.nan)) for value in distinct]
    else:
        mapped = [_days(value) for value in distinct]
    codes = np.asarray(encoded.indices.fill_null(len(distinct)), np.int64)
    return np.array([*mapped, np.nan])[codes]


def _days(text: str | None) -> float:
    try:
        return float(np.datetime64(text or "NaT", "s").astype(np.float64)) / 86_400 if text else np.nan
    except ValueError:  # no date after all: missing, as the transform has it
        return np.nan


def _names(table: Any) -> list[str]:
    return table.column_names

"""Metrics by value of a column: where the model is weak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.evaluation.config import EvaluationConfig
from components.evaluation.estimate import Estimate
from components.evaluation.measure import PRIMARY, measure, worse_by
from components.evaluation.read import LabelledRows


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The rows in which a column has one value.

    Attributes:
        column: The column.
        value: Its value; None where it is missing.
        rows: How many rows.
        estimates: Metrics over them; what cannot be said is absent.
    """

    column: str
    value: str | float | None
    rows: int
    estimates: dict[str, Estimate]

    def as_mapping(self) -> dict[str, Any]:
        """Return `{column, value, rows, metrics}`, as `evaluation.json` holds it."""
        metrics = {name: estimate.bounds() for name, estimate in self.estimates.items()}
        return {"column": self.column, "value": self.value, "rows": self.rows, "metrics": metrics}


@dataclass(frozen=True, kw_only=True)
class Slices:
    """All slices of a run.

    Attributes:
        measured: Worst first by the task's primary metric; those without it last.
        left_out: Values that were not measured, by column: too few rows, or beyond the most frequent.
    """

    measured: list[Slice]
    left_out: dict[str, int]


def measure_slices(
    rows: LabelledRows,
    answers: NDArray[np.float32],
    task: Task,
    columns: Sequence[str],
    config: EvaluationConfig,
) -> Slices:
    """Measure each frequent value of each column by itself.

    Args:
        rows: The judged rows.
        answers: Their answers.
        task: Says which metrics.
        columns: Columns to cut by; each is in the table.
        config: Fewest rows of a slice and most values of a column.
    """
    measured: list[Slice] = []
    left_out: dict[str, int] = {}
    for column in dict.fromkeys(columns):
        groups = _group_rows(rows.table.column(column))
        kept = [
            group for group in groups[: config.max_slice_values] if len(group[1]) >= config.min_slice_rows
        ]
        left_out[column] = len(groups) - len(kept)
        for value, members in kept:
            estimates = measure(task, rows.labels[members], answers[members])
            measured.append(Slice(column=column, value=value, rows=len(members), estimates=estimates))
    return Slices(measured=sorted(measured, key=lambda found: _goodness(found, task)), left_out=left_out)


def _group_rows(column: Any) -> list[tuple[str | float | None, NDArray[np.intp]]]:
    """Return each value with its row numbers, the most frequent first, then in order of appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    values = [_clean(value) for value in encoded.dictionary.to_pylist()]
    missing = values.index(None) if None in values else len(values)
    codes = np.asarray(encoded.indices.fill_null(missing), np.int64)
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    members = np.split(order, starts[1:])
    pairs = [(([*values, None])[code], rows) for code, rows in zip(found, members, strict=True)]
    return sorted(pairs, key=lambda pair: -len(pair[1]))


def _clean(value: str | float) -> str | float | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _goodness(found: Slice, task: Task) -> tuple[bool, float]:
    estimate = found.estimates.get(PRIMARY[task])
    return (True, 0.0) if estimate is None else (False, -worse_by(PRIMARY[task], estimate.value))

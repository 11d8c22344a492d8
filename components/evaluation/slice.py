"""Metrics by value of a column, or of a pair: where the model is weak."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.catalogue import PRIMARY, worse_by
from components.evaluation.config import Cut, EvaluationConfig
from components.evaluation.estimate import Estimate
from components.evaluation.judged import Judged
from components.evaluation.measure import measure
from components.evaluation.show import show

Value = str | float | None
Codes = NDArray[np.int64]

_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The rows in which some columns have certain values.

    Attributes:
        where: The value of each column; None where it is missing, text such as `1.5 to 3` for a range.
        rows: How many rows.
        estimates: Metrics over them; what cannot be said is absent.
    """

    where: Mapping[str, Value]
    rows: int
    estimates: dict[str, Estimate]

    @property
    def name(self) -> str:
        """The slice in words, such as `carrier = AA, origin = JFK`."""
        return ", ".join(f"{column} = {name_value(value)}" for column, value in self.where.items())

    def as_mapping(self) -> dict[str, Any]:
        """Return `{where, rows, metrics}`, as `evaluation.json` holds it."""
        metrics = {name: estimate.bounds() for name, estimate in self.estimates.items()}
        return {"where": dict(self.where), "rows": self.rows, "metrics": metrics}


@dataclass(frozen=True, kw_only=True)
class Slices:
    """All slices that were asked for.

    Attributes:
        measured: Worst first by the task's primary metric; those without it last.
        left_out: Slices that were not measured, by cut: too few rows, or beyond the most frequent values.
    """

    measured: list[Slice]
    left_out: dict[Cut, int]

    def of(self, cut: Cut) -> list[Slice]:
        """Return the measured slices of one cut."""
        return [found for found in self.measured if tuple(found.where) == cut]


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Rows by value of one column.

    Attributes:
        values: The values, the most frequent first, or ranges in ascending order.
        codes: `[rows]` into `values`; -1 for a value beyond the most frequent.
        left_out: Distinct values without a code.
    """

    values: list[Value]
    codes: Codes
    left_out: int


def measure_slices(judged: Judged, table: Any, cuts: Sequence[Cut], config: EvaluationConfig) -> Slices:
    """Measure each frequent value of each column, and of each pair, by itself.

    Args:
        judged: Labels and answers of the rows.
        table: Their raw columns, those of the cuts among them.
        cuts: Columns, or pairs, to cut by.
        config: Fewest rows of a slice and most values of a column.
    """
    columns = dict.fromkeys(column for cut in cuts for column in cut)
    groupings = {column: group_rows(table.column(column), config) for column in columns}
    measured: list[Slice] = []
    left_out: dict[Cut, int] = {}
    for cut in dict.fromkeys(cuts):
        members = split_rows([groupings[column] for column in cut])
        kept = {place: rows for place, rows in members.items() if len(rows) >= config.min_slice_rows}
        beyond = groupings[cut[0]].left_out if len(cut) == 1 else 0
        left_out[cut] = len(members) - len(kept) + beyond
        for place, rows in kept.items():
            where = {
                column: groupings[column].values[code] for column, code in zip(cut, place, strict=True)
            }
            measured.append(measure_slice(judged, where, rows))
    return Slices(measured=sorted(measured, key=lambda found: _goodness(found, judged)), left_out=left_out)


def measure_slice(judged: Judged, where: Mapping[str, Value], rows: NDArray[np.intp]) -> Slice:
    """Measure the model on some rows."""
    estimates = measure(judged.task, judged.labels[rows], judged.answers[rows], judged.decision)
    return Slice(where=where, rows=len(rows), estimates=estimates)


def group_rows(column: Any, config: EvaluationConfig) -> Grouping:
    """Group rows by value; numbers whose frequent values are the lesser part, by quartile."""
    encoded = column.combine_chunks().dictionary_encode()
    values = [_clean(value) for value in encoded.dictionary.to_pylist()]
    missing = values.index(None) if None in values else len(values)
    codes = np.asarray(encoded.indices.fill_null(missing), np.int64)
    counts = np.bincount(codes, minlength=len(values) + 1)
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    kept = order[: config.max_slice_values]
    numeric = any(isinstance(value, (int, float)) for value in values)
    if numeric and 2 * counts[kept].sum() < len(codes):
        return _group_by_quartile(np.array([*map(_number, values), math.nan])[codes])
    place = np.full(len(values) + 1, -1)
    place[kept] = np.arange(len(kept))
    named = [*values, None]
    return Grouping(
        values=[named[code] for code in kept], codes=place[codes], left_out=len(order) - len(kept)
    )


def split_rows(groupings: Sequence[Grouping]) -> dict[tuple[int, ...], NDArray[np.intp]]:
    """Return the row numbers of each combination of codes that occurs."""
    combined, known = np.zeros(len(groupings[0].codes), np.int64), True
    for grouping in groupings:
        combined = combined * len(grouping.values) + grouping.codes
        known = known & (grouping.codes >= 0)
    rows = np.flatnonzero(known)
    order = rows[np.argsort(combined[rows], kind="stable")]
    found, starts = np.unique(combined[order], return_index=True)
    shape = [len(grouping.values) for grouping in groupings]
    places = (
        zip(*(axis.tolist() for axis in np.unravel_index(found, shape)), strict=True) if len(found) else ()
    )
    return dict(zip(places, np.split(order, starts[1:]), strict=False))


def name_value(value: Value) -> str:
    """Return a slice's value for people."""
    return "(missing)" if value is None else value if isinstance(value, str) else f"{value:g}"


def _group_by_quartile(numbers: NDArray[np.float64]) -> Grouping:
    finite = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[finite], _QUARTILES))
    codes = np.where(finite, np.searchsorted(edges, numbers, "left"), len(edges) + 1)
    texts = [show(edge) for edge in edges.tolist()]
    middle = [f"{low} to {high}" for low, high in pairwise(texts)]
    values: list[Value] = [f"at most {texts[0]}", *middle, f"above {texts[-1]}", None]
    return Grouping(values=values, codes=codes.astype(np.int64), left_out=0)


def _clean(value: str | float) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _number(value: Value) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _goodness(found: Slice, judged: Judged) -> tuple[bool, float]:
    name = PRIMARY[judged.task]
    estimate = found.estimates.get(name)
    return (True, 0.0) if estimate is None else (False, -worse_by(name, estimate.value))

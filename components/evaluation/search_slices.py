"""Finding the slices in which the model is weakest, and telling only what chance does not explain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.config import Cut, EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.slice import Grouping, Slice, group_rows, measure_slice, split_rows

LEVEL = 0.05
_FEWEST_ROWS = 30  # below it a mean of losses is not nearly normal
_MOST_PAIRED = 25  # columns; their 300 pairs stay quick

_Place = tuple[Cut, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class WeakSlice:
    """A slice whose rows cost more than the others.

    Attributes:
        slice: The slice, with all metrics.
        loss: Its mean loss: log loss, or squared error.
        rest: Mean loss of all other rows.
        p_value: Chance of such a difference in any slice that was looked at, if there were none (Holm).
    """

    slice: Slice
    loss: float
    rest: float
    p_value: float

    def as_mapping(self) -> dict[str, Any]:
        """Return `{where, rows, metrics, loss, rest, p_value}`, as `evaluation.json` holds it."""
        return {**self.slice.as_mapping(), "loss": self.loss, "rest": self.rest, "p_value": self.p_value}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What was looked at and what was found.

    Attributes:
        found: Weak slices, the largest excess first.
        tested: Slices that were looked at.
        more: Weak slices beyond those in `found`.
    """

    found: list[WeakSlice]
    tested: int
    more: int = 0


def find_weak_slices(
    judged: Judged, table: Any, columns: Sequence[str], config: EvaluationConfig
) -> Search:
    """Look through every value of every column, and of every pair, for rows that cost more than the rest.

    As in Slice Finder (Chung et al. 2019) the mean loss of a slice is held against that of all other rows
    by Welch's test, one-sided, and a pair is told only when neither of its parts is. The probabilities are
    corrected for the number of slices looked at (Holm 1979), so that in all of them together a false alarm
    has a chance of at most 5 %.

    Args:
        judged: The model.
        table: Raw columns of the judged rows.
        columns: Columns to look through; pairs are made of the first 25.
        config: Fewest rows of a slice and most values of a column; how many to tell.
    """
    losses = judged.losses()
    if losses is None or config.worst_slices == 0:
        return Search(found=[], tested=0)
    groupings = {column: group_rows(table.column(column), config) for column in columns}
    cuts = [*((column,) for column in columns), *combinations(columns[:_MOST_PAIRED], 2)]
    tested: dict[_Place, tuple[float, float, float]] = {}
    for cut in cuts:
        tested |= _test_cut(cut, [groupings[column] for column in cut], losses, config.min_slice_rows)
    adjusted = adjust_by_holm({place: numbers[2] for place, numbers in tested.items()})
    weak = [place for place, p_value in adjusted.items() if p_value < LEVEL]
    told = sorted(_most_general(weak), key=lambda place: tested[place][1] - tested[place][0])
    found = [
        _describe(judged, place, groupings, tested[place], adjusted[place])
        for place in told[: config.worst_slices]
    ]
    return Search(found=found, tested=len(tested), more=len(told) - len(found))


def adjust_by_holm(p_values: Mapping[_Place, float]) -> dict[_Place, float]:
    """Correct probabilities for their number, step by step (Holm 1979)."""
    ranked = sorted(p_values, key=lambda place: p_values[place])
    adjusted: dict[_Place, float] = {}
    reached = 0.0
    for rank, place in enumerate(ranked):
        reached = max(reached, min(1.0, (len(ranked) - rank) * p_values[place]))
        adjusted[place] = reached
    return adjusted


def _test_cut(
    cut: Cut, groupings: Sequence[Grouping], losses: NDArray[np.float64], min_rows: int
) -> dict[_Place, tuple[float, float, float]]:
    """Return mean loss, mean loss of the rest, and the probability, of each slice with enough rows."""
    shape = [len(grouping.values) for grouping in groupings]
    known = np.logical_and.reduce([grouping.codes >= 0 for grouping in groupings])
    codes = np.ravel_multi_index(tuple(np.maximum(grouping.codes, 0) for grouping in groupings), shape)
    size = math.prod(shape)
    centred = (losses - losses.mean())[known]
    counts = np.bincount(codes[known], minlength=size)
    sums = np.bincount(codes[known], centred, minlength=size)
    squares = np.bincount(codes[known], centred**2, minlength=size)
    every = float(np.square(losses - losses.mean()).sum())
    least = max(min_rows, _FEWEST_ROWS)
    found: dict[_Place, tuple[float, float, float]] = {}
    for code in np.flatnonzero((counts >= least) & (len(losses) - counts >= least)).tolist():
        inside = _mean_and_error(float(sums[code]), float(squares[code]), int(counts[code]))
        others = len(losses) - int(counts[code])
        outside = _mean_and_error(-float(sums[code]), every - float(squares[code]), others)
        place = (cut, tuple(int(part) for part in np.unravel_index(code, shape)))
        middle = float(losses.mean())
        found[place] = (middle + inside[0], middle + outside[0], _chance(inside, outside))
    return found


def _mean_and_error(total: float, squares: float, rows: int) -> tuple[float, float]:
    mean = total / rows
    return mean, max(0.0, squares / rows - mean**2) / (rows - 1)


def _chance(inside: tuple[float, float], outside: tuple[float, float]) -> float:
    error = math.sqrt(inside[1] + outside[1])
    return 1.0 - NormalDist().cdf((inside[0] - outside[0]) / error) if error > 0.0 else 1.0


def _most_general(weak: Sequence[_Place]) -> list[_Place]:
    single = {(cut[0], place[0]) for cut, place in weak if len(cut) == 1}
    return [
        (cut, place)
        for cut, place in weak
        if len(cut) == 1 or not single & set(zip(cut, place, strict=True))
    ]


def _describe(
    judged: Judged,
    place: _Place,
    groupings: Mapping[str, Grouping],
    numbers: tuple[float, float, float],
    p_value: float,
) -> WeakSlice:
    cut, codes = place
    rows = split_rows([groupings[column] for column in cut])[codes]
    where = {column: groupings[column].values[code] for column, code in zip(cut, codes, strict=True)}
    loss, rest, _ = numbers
    return WeakSlice(slice=measure_slice(judged, where, rows), loss=loss, rest=rest, p_value=p_value)

"""Finding the slices in which the model is weakest, and telling only what chance does not explain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from components.evaluation.config import Cut, EvaluationConfig
from components.evaluation.estimate import Floats
from components.evaluation.judged import Judged
from components.evaluation.slice import Grouping, Slice, group_rows, measure_slice, split_rows

LEVEL = 0.05
_FEWEST_ROWS = 30  # below it a mean of losses is not nearly normal
_MOST_PAIRED = 25  # columns; their 300 pairs stay quick
_LEAST_STEPS = NormalDist().inv_cdf(1.0 - LEVEL)

_Place = tuple[Cut, tuple[int, ...]]


class _Suspicion(NamedTuple):
    """Mean loss of a slice and of the rest, less the mean of all; its probability by chance."""

    loss: float
    rest: float
    chance: float


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
    suspects: dict[_Place, _Suspicion] = {}
    tested = 0
    least = max(config.min_slice_rows, _FEWEST_ROWS)
    centred: Floats = losses - losses.mean()
    squared: Floats = np.square(centred)
    for cut in cuts:
        count, found = _test_cut(cut, [groupings[column] for column in cut], centred, squared, least)
        tested, suspects = tested + count, suspects | found
    adjusted = adjust_by_holm({place: one.chance for place, one in suspects.items()}, tested)
    weak = [place for place, p_value in adjusted.items() if p_value < LEVEL]
    told = sorted(_most_general(weak), key=lambda place: suspects[place].rest - suspects[place].loss)
    described = [
        _describe(judged, place, groupings, suspects[place], float(losses.mean()), adjusted[place])
        for place in told[: config.worst_slices]
    ]
    return Search(found=described, tested=tested, more=len(told) - len(described))


def adjust_by_holm(p_values: Mapping[_Place, float], tests: int) -> dict[_Place, float]:
    """Correct the smallest probabilities of some tests for their number, step by step (Holm 1979).

    Args:
        p_values: The smallest ones; those left out must be larger than all of these.
        tests: How many tests there were.
    """
    adjusted: dict[_Place, float] = {}
    reached = 0.0
    for rank, place in enumerate(sorted(p_values, key=lambda place: p_values[place])):
        reached = max(reached, min(1.0, (tests - rank) * p_values[place]))
        adjusted[place] = reached
    return adjusted


def _test_cut(
    cut: Cut, groupings: Sequence[Grouping], centred: Floats, squared: Floats, least: int
) -> tuple[int, dict[_Place, _Suspicion]]:
    """Hold every slice of a cut against the rest.

    Args:
        cut: The columns.
        groupings: Their groups.
        centred: `[rows]` losses less their mean.
        squared: Their squares.
        least: Fewest rows of a slice, and of the rest.

    Returns:
        How many slices have enough rows, and those whose own probability is below the level.
    """
    sizes = [len(grouping.values) + 1 for grouping in groupings]  # the last holds what has no code
    codes = np.zeros(len(centred), np.int64)
    for grouping, size in zip(groupings, sizes, strict=True):
        codes = codes * size + np.where(grouping.codes < 0, size - 1, grouping.codes)
    rows, cells = len(centred), math.prod(sizes)
    counts = np.bincount(codes, minlength=cells)
    named = np.logical_and.reduce(
        [
            place < size - 1
            for place, size in zip(np.indices(sizes).reshape(len(sizes), -1), sizes, strict=True)
        ]
    )
    chosen = np.flatnonzero(named & (counts >= least) & (rows - counts >= least))
    inside: Floats = counts[chosen].astype(np.float64)
    sums = np.bincount(codes, centred, cells)[chosen].astype(np.float64)
    squares = np.bincount(codes, squared, cells)[chosen].astype(np.float64)
    mean, spread = _mean_and_spread(sums, squares, inside)
    other, apart = _mean_and_spread(-sums, float(squared.sum()) - squares, rows - inside)
    error = np.sqrt(spread + apart)
    steps = np.divide(mean - other, error, out=np.zeros_like(error), where=error > 0.0)
    found: dict[_Place, _Suspicion] = {}
    for index in np.flatnonzero(steps > _LEAST_STEPS).tolist():
        place = tuple(int(part) for part in np.unravel_index(int(chosen[index]), sizes))
        found[cut, place] = _Suspicion(
            loss=float(mean[index]),
            rest=float(other[index]),
            chance=NormalDist().cdf(-float(steps[index])),
        )
    return len(chosen), found


def _mean_and_spread(sums: Floats, squares: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return the means of some groups and the variances of these means."""
    means: Floats = sums / rows
    variances: Floats = np.maximum(0.0, squares / rows - means**2)
    return means, variances / (rows - 1.0)


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
    suspicion: _Suspicion,
    middle: float,
    p_value: float,
) -> WeakSlice:
    cut, codes = place
    rows = split_rows([groupings[column] for column in cut])[codes]
    where = {column: groupings[column].values[code] for column, code in zip(cut, codes, strict=True)}
    measured = measure_slice(judged, where, rows)
    return WeakSlice(
        slice=measured, loss=middle + suspicion.loss, rest=middle + suspicion.rest, p_value=p_value
    )

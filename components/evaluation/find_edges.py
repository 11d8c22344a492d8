"""Finding where a twin's program decides otherwise: neighbouring numbers between which an outcome flips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.twin.program import Output, Program, Step
from components.common.twin.run import Twin

Columns = Mapping[str, NDArray[Any]]

_NAMES = "Less LessEqual Greater GreaterEqual Equal NotEqual UpperBound LowerBound Bucketize"
_OUTCOMES = frozenset(_NAMES.split())
_PART = 256  # rows that are asked together
_WHICH = frozenset(("Minimum", "Maximum"))


def find_edges(
    program: Program, row: Columns, grids: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Search each number for its edges, by bisection between the values of a grid.

    Args:
        program: The program; its comparisons, clips and buckets are what decides.
        row: One encoded row `[1]`; what the other inputs have.
        grids: Ascending finite values of the inputs to search, float32 or int64.

    Returns:
        By input the values on both sides of each edge, and the one after. Of edges between the same two
        values of the grid one is found.
    """
    probe = _Probe(program, row, list(grids))
    owner = np.repeat(np.arange(len(grids)), [len(grid) for grid in grids.values()])
    points = np.concatenate([np.empty(0, np.int64), *map(_rank, grids.values())])
    if not len(points) or not probe.decides:
        return {name: grid[:0] for name, grid in grids.items()}
    outcomes = probe.ask(owner, points)
    flips = (owner[1:] == owner[:-1]) & (outcomes[1:] != outcomes[:-1]).any(axis=1)
    low, high, before = points[:-1][flips], points[1:][flips], outcomes[:-1][flips]
    owner = owner[:-1][flips]
    while (apart := _distance(low, high) > 1).any():
        middle = low + (_distance(low, high) >> 1).astype(np.int64)
        same = (probe.ask(owner, middle) == before).all(axis=1)
        low, high = np.where(apart & same, middle, low), np.where(apart & ~same, middle, high)
    return {
        name: _unrank(np.unique(np.concatenate([low[owner == place], high[owner == place]])), grid.dtype)
        for place, (name, grid) in enumerate(grids.items())
    }


class _Probe:
    """A program that answers what the first one decides."""

    def __init__(self, program: Program, row: Columns, names: Sequence[str]) -> None:
        steps = [*program.steps, *_tell_which(program)]
        decided = [one.outputs[0] for one in steps if one.operation in _OUTCOMES]
        outputs = [Output(name=name, value=name) for name in decided]
        self.decides = bool(outputs)
        self._twin = Twin(replace(program, steps=_needed(steps, decided), outputs=outputs))
        self._row, self._names = row, names

    def ask(self, owner: NDArray[Any], points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the outcomes `[points, …]` when each point is the value of the input that owns it."""
        parts = [slice(start, start + _PART) for start in range(0, len(points), _PART)]
        return np.concatenate([self._ask(owner[part], points[part]) for part in parts])

    def _ask(self, owner: NDArray[Any], points: NDArray[np.int64]) -> NDArray[np.int64]:
        columns = {name: np.repeat(values, len(points)) for name, values in self._row.items()}
        for place, name in enumerate(self._names):
            own = owner == place
            columns[name][own] = _unrank(points[own], columns[name].dtype)
        found = self._twin.predict(columns).values()
        flat = [_by_row(one, len(points)) for one in found]
        return np.concatenate([np.empty((len(points), 0), np.int64), *flat], axis=1)


def _by_row(outcome: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return an outcome as `[rows, …]`; buckets have the rows as their last axis, constants have none."""
    if outcome.ndim and outcome.shape[0] != rows and outcome.shape[-1] == rows:
        outcome = np.moveaxis(outcome, -1, 0)
    known = outcome.ndim == 0 or outcome.shape[0] != rows
    return np.empty((rows, 0), np.int64) if known else outcome.reshape(rows, -1).astype(np.int64)


def _tell_which(program: Program) -> list[Step]:
    """Return a comparison for each step that takes the smaller or the larger of two."""
    told: list[Step] = []
    for step in program.steps:
        if step.operation in _WHICH:
            told.append(_less(step.outputs[0], *step.inputs))
        if step.operation == "ClipByValue":
            value, low, high = step.inputs
            told += [_less(f"{step.outputs[0]} low", value, low), _less(step.outputs[0], value, high)]
    return told


def _less(name: str, first: str, second: str) -> Step:
    return Step(operation="Less", inputs=[first, second], outputs=[f"{name} which"], attributes={})


def _needed(steps: Sequence[Step], values: Sequence[str]) -> list[Step]:
    wanted, kept = set(values), list[Step]()
    for step in reversed(steps):
        if wanted & {*step.outputs}:
            kept.append(step)
            wanted |= {*step.inputs}
    return kept[::-1]


def _rank(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers in the order of the values; neighbours among floats differ by one."""
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    bits = values.astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _unrank(ranks: NDArray[np.int64], dtype: Any) -> NDArray[Any]:
    if np.dtype(dtype).kind == "i":
        return ranks
    bits = np.where(ranks < 0, -ranks | 0x80000000, ranks)
    return bits.astype(np.uint32).view(np.float32)


def _distance(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.uint64]:
    return high.astype(np.uint64) - low.astype(np.uint64)  # wraps around, and so never overflows

"""Finding where a twin's program decides otherwise: neighbouring numbers between which an outcome flips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import MISSING_INTEGER
from components.common.twin.fingerprint import fingerprint64
from components.common.twin.kinds import OperationError
from components.common.twin.program import Output, Program, Step
from components.common.twin.run import Twin

Columns = Mapping[str, NDArray[Any]]

_NAMES = """
Less LessEqual Greater GreaterEqual Equal NotEqual UpperBound LowerBound Bucketize
Floor Ceil Round Rint FloorDiv Sign ArgMax ArgMin AsString
"""
_OUTCOMES = frozenset(_NAMES.split())
_WHOLE = frozenset(("bool", "uint8", "int32", "int64"))  # types that a cast of floats cuts to
_PART = 251  # rows that are always asked together: as many as nothing else in a program has
_WHICH = frozenset(("Minimum", "Maximum"))
_REFUSED = MISSING_INTEGER + 1  # the outcome of values that there is no answer to


def find_edges(
    program: Program, row: Columns, grids: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Search each number for its edges, by bisection between the values of a grid.

    Args:
        program: The program; its comparisons, clips and buckets are what decides.
        row: One encoded row `[1]`; what the other inputs have.
        grids: Ascending finite values of the inputs to search, float32 or int64.

    Returns:
        By input the values on both sides of each edge. Where a program has no answer any more, is an edge
        too. Of edges of one outcome between the same two values of the grid one is found.
    """
    probe = _Probe(program, row, list(grids))
    owner = np.repeat(np.arange(len(grids)), [len(grid) for grid in grids.values()])
    points = np.concatenate([np.empty(0, np.int64), *map(_rank, grids.values())])
    if not len(points) or not probe.decides:
        return {name: grid[:0] for name, grid in grids.items()}
    outcomes = probe.ask(owner, points)
    differ = (outcomes[1:] != outcomes[:-1]) & (owner[1:] == owner[:-1])[:, None]
    flips, which = np.nonzero(differ)
    low, high, before = points[flips], points[flips + 1], outcomes[flips, which]
    owner = owner[flips]
    while (apart := _distance(low, high) > 1).any():
        middle = low + (_distance(low, high) >> 1).astype(np.int64)
        same = probe.ask(owner, middle)[np.arange(len(which)), which] == before
        low, high = np.where(apart & same, middle, low), np.where(apart & ~same, middle, high)
    return {
        name: _unrank(np.unique(np.concatenate([low[owner == place], high[owner == place]])), grid.dtype)
        for place, (name, grid) in enumerate(grids.items())
    }


class _Probe:
    """A program that answers what the first one decides."""

    def __init__(self, program: Program, row: Columns, names: Sequence[str]) -> None:
        steps = [*program.steps, *_tell_which(program)]
        decided = [one.outputs[0] for one in steps if _decides(one)]
        outputs = [Output(name=name, value=name) for name in decided]
        self.decides = bool(outputs)
        self._twin = Twin(replace(program, steps=needed_steps(steps, decided), outputs=outputs))
        self._row = {name: np.repeat(values, _PART) for name, values in row.items()}
        self._names = names
        self._refused = np.full((1, self._outcomes({}).shape[1]), _REFUSED)

    def ask(self, owner: NDArray[Any], points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the outcomes `[points, …]` when each point is the value of the input that owns it."""
        parts = [slice(start, start + _PART) for start in range(0, len(points), _PART)]
        return np.concatenate([self._ask(owner[part], points[part]) for part in parts])

    def _ask(self, owner: NDArray[Any], points: NDArray[np.int64]) -> NDArray[np.int64]:
        columns: dict[str, NDArray[Any]] = {}
        for place, name in enumerate(self._names):
            own = np.flatnonzero(owner == place)
            columns[name] = self._row[name].copy()
            columns[name][own] = _unrank(points[own], columns[name].dtype)
        try:
            return self._outcomes(columns)[: len(points)]
        except OperationError:
            if len(points) == 1:
                return self._refused
        half = len(points) // 2
        return np.concatenate(
            [self._ask(owner[:half], points[:half]), self._ask(owner[half:], points[half:])]
        )

    def _outcomes(self, columns: Columns) -> NDArray[np.int64]:
        found = self._twin.predict({**self._row, **columns}).values()
        flat = [_by_row(one, _PART) for one in found]
        return np.concatenate([np.empty((_PART, 0), np.int64), *flat], axis=1)


def _decides(step: Step) -> bool:
    return step.operation in _OUTCOMES or (step.operation == "Cast" and step.attributes["DstT"] in _WHOLE)


def _by_row(outcome: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return an outcome as `[rows, …]`; buckets have the rows as their last axis, constants have none."""
    if outcome.ndim and outcome.shape[0] != rows and outcome.shape[-1] == rows:
        outcome = np.moveaxis(outcome, -1, 0)
    known = outcome.ndim == 0 or outcome.shape[0] != rows
    return np.empty((rows, 0), np.int64) if known else _as_numbers(outcome.reshape(rows, -1))


def _as_numbers(outcomes: NDArray[Any]) -> NDArray[np.int64]:
    """Return outcomes as whole numbers that are others where the outcomes are."""
    if outcomes.dtype == np.object_:
        return fingerprint64(outcomes.ravel().tolist()).view(np.int64).reshape(outcomes.shape)
    if outcomes.dtype.kind == "f":
        return outcomes.astype(np.float64).view(np.int64)
    return outcomes.astype(np.int64)


def _tell_which(program: Program) -> list[Step]:
    """Return a step that tells what each decided that takes the smaller or larger of two, or a rest."""
    told: list[Step] = []
    for step in program.steps:
        if step.operation in _WHICH:
            told.append(_less(step.outputs[0], *step.inputs))
        if step.operation == "FloorMod":
            told.append(replace(step, operation="FloorDiv", outputs=[f"{step.outputs[0]} which"]))
        if step.operation == "ClipByValue":
            value, low, high = step.inputs
            told += [_less(f"{step.outputs[0]} low", value, low), _less(step.outputs[0], value, high)]
    return told


def _less(name: str, first: str, second: str) -> Step:
    return Step(operation="Less", inputs=[first, second], outputs=[f"{name} which"], attributes={})


def needed_steps(steps: Sequence[Step], values: Sequence[str]) -> list[Step]:
    """Return the steps that values hang on, in their order."""
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

"""Running a twin's program: each step is bound once to its operation, and then only called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from components.common.errors import BadInputError
from components.common.twin.kinds import Operation, Values
from components.common.twin.operations import make_operation, takes_inputs
from components.common.twin.program import Program, Step
from components.common.twin.tables import table_lookup

CHUNK = 256  # rows computed at a time: rows are independent, and so few stay in the processor's cache
_THREADS = 4  # at most, for the chunks of one request

_Slots = list[object]  # one for each value, constant and table
_Call = Callable[[_Slots], None]


class Twin:
    """A program, ready to be run; may be called from several threads."""

    def __init__(self, program: Program) -> None:
        """Bind a checked program.

        Raises:
            BadInputError: An operation is not computed with the attributes or of the inputs of its step,
                which is named.
        """
        known: dict[str, object] = {name: table_lookup(table) for name, table in program.tables.items()}
        known |= program.constants
        places = _places(program, len(known)) | {name: place for place, name in enumerate(known)}
        self._start: _Slots = [
            *known.values(),
            *(None for _ in range(len(known), 1 + max(places.values()))),
        ]
        self._inputs = [(one.name, places[one.value]) for one in program.inputs]
        self._outputs = [(one.name, places[one.value]) for one in program.outputs]
        self._pool = ThreadPoolExecutor(min(_THREADS, len(os.sched_getaffinity(0))))
        self._calls = [_bind(number, step, places) for number, step in enumerate(program.steps)]

    def predict(self, columns: Mapping[str, Values]) -> dict[str, Values]:
        """Compute the outputs.

        Args:
            columns: One array `[rows]` for each input, as `encode_columns` makes them.

        Returns:
            An array `[rows]` or `[rows, classes]` for each output.

        Raises:
            OperationError: A step has no answer for a value; TensorFlow has none either.
        """
        rows = len(columns[self._inputs[0][0]])
        if rows <= CHUNK:
            return self._predict(columns)
        parts = list(self._pool.map(self._predict, _chunks(columns, rows)))
        return {name: np.concatenate([part[name] for part in parts]) for name, _ in self._outputs}

    def _predict(self, columns: Mapping[str, Values]) -> dict[str, Values]:
        slots = self._start.copy()
        for name, place in self._inputs:
            slots[place] = columns[name]
        with np.errstate(all="ignore"):
            for call in self._calls:
                call(slots)
        return {name: np.asarray(slots[place]) for name, place in self._outputs}


def _chunks(columns: Mapping[str, Values], rows: int) -> Iterator[dict[str, Values]]:
    for start in range(0, rows, CHUNK):
        yield {name: values[start : start + CHUNK] for name, values in columns.items()}


def _places(program: Program, first: int) -> dict[str, int]:
    """Give each value a slot, that of one that is not used any more where there is one.

    So an array is let go as soon as may be, and its memory is warm for the next.
    """
    kept = {one.value for one in program.outputs}
    last = {name: number for number, step in enumerate(program.steps) for name in step.inputs}
    places = {one.value: first + place for place, one in enumerate(program.inputs)}
    count, free = first + len(places), list[int]()
    for number, step in enumerate(program.steps):
        ended = {name for name in step.inputs if last[name] == number and name in places} - kept
        free += sorted(places[name] for name in ended)
        for name in step.outputs:
            places[name] = free.pop() if free else count
            count = max(count, places[name] + 1)
            if name not in last and name not in kept:
                free.append(places[name])
    return places


def _bind(number: int, step: Step, places: Mapping[str, int]) -> _Call:
    try:
        operation = make_operation(step.operation, step.attributes)
    except BadInputError as error:
        raise BadInputError(f"step {number} of the twin: {error}", fix="train the model again") from error
    if not takes_inputs(operation, len(step.inputs)):
        what = f"step {number} of the twin: `{step.operation}` of another number of inputs"
        raise BadInputError(what, value=len(step.inputs), fix="train the model again")
    sources, (target,) = [places[name] for name in step.inputs], [places[name] for name in step.outputs]
    forms = {1: _of_one, 2: _of_two, 3: _of_three}
    return forms.get(len(sources), _of_many)(operation, sources, target)


def _of_one(operation: Operation, sources: Sequence[int], target: int) -> _Call:
    (only,) = sources

    def call(slots: _Slots) -> None:
        slots[target] = operation(slots[only])

    return call


def _of_two(operation: Operation, sources: Sequence[int], target: int) -> _Call:
    first, second = sources

    def call(slots: _Slots) -> None:
        slots[target] = operation(slots[first], slots[second])

    return call


def _of_three(operation: Operation, sources: Sequence[int], target: int) -> _Call:
    first, second, third = sources

    def call(slots: _Slots) -> None:
        slots[target] = operation(slots[first], slots[second], slots[third])

    return call


def _of_many(operation: Operation, sources: Sequence[int], target: int) -> _Call:
    def call(slots: _Slots) -> None:
        slots[target] = operation(*[slots[source] for source in sources])

    return call

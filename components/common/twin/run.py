"""Running a twin's program: each step is bound once to its operation, and then only called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from components.common.errors import BadInputError
from components.common.twin.kinds import Operation, Values
from components.common.twin.operations import make_operation
from components.common.twin.program import Program, Step
from components.common.twin.tables import table_lookup

_Slots = list[object]  # one for each value, constant and table
_Call = Callable[[_Slots], None]


class Twin:
    """A program, ready to be run; may be called from several threads."""

    def __init__(self, program: Program) -> None:
        """Bind a checked program.

        Raises:
            BadInputError: An operation is not computed with the attributes of its step, which is named.
        """
        known: dict[str, object] = {name: table_lookup(table) for name, table in program.tables.items()}
        known |= program.constants
        names = [one.value for one in program.inputs]
        names += [name for step in program.steps for name in step.outputs]
        places = {name: place for place, name in enumerate((*known, *names))}
        self._start: _Slots = [*known.values(), *(None for _ in names)]
        self._inputs = [(one.name, places[one.value]) for one in program.inputs]
        self._outputs = [(one.name, places[one.value]) for one in program.outputs]
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
        slots = self._start.copy()
        for name, place in self._inputs:
            slots[place] = columns[name]
        with np.errstate(all="ignore"):
            for call in self._calls:
                call(slots)
        return {name: np.asarray(slots[place]) for name, place in self._outputs}


def _bind(number: int, step: Step, places: Mapping[str, int]) -> _Call:
    try:
        operation = make_operation(step.operation, step.attributes)
    except BadInputError as error:
        raise BadInputError(f"step {number} of the twin: {error}", fix="train the model again") from error
    sources, targets = [places[name] for name in step.inputs], [places[name] for name in step.outputs]
    if len(targets) != 1:
        return _several(operation, sources, targets)
    forms = {1: _of_one, 2: _of_two, 3: _of_three}
    return forms.get(len(sources), _of_many)(operation, sources, targets[0])


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


def _several(operation: Operation, sources: Sequence[int], targets: Sequence[int]) -> _Call:
    def call(slots: _Slots) -> None:
        found = operation(*[slots[source] for source in sources])
        for target, values in zip(targets, found, strict=True):
            slots[target] = values

    return call

"""Values of a program in the making: equal ones are made once, and each is simplified as it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.twin.program import Attribute, Table

INPUT, CONSTANT, TABLE = "input", "constant", "table"

Shape = tuple[int | None, ...]
Array = NDArray[Any]


class OutsideError(Exception):
    """A graph does what the closed list has no word for; the message is the reason, for people."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Value:
    """An array that a program computes, takes or holds; two are equal when they are one object.

    Attributes:
        operation: A name of the closed list, or `input`, `constant` or `table`.
        inputs: What it is computed from.
        attributes: As in a program's step.
        dtype: NumPy's name of its type, or `string`; of a table, that of its values.
        shape: None stands for the rows, or for what is not known; None alone: not even the rank is.
        data: An input's name, a constant's array, a table's `Table`.
    """

    operation: str
    inputs: tuple[Value, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    dtype: str
    shape: Shape | None
    data: Any = None

    @property
    def is_constant(self) -> bool:
        """True for an array that is known."""
        return self.operation == CONSTANT

    @property
    def is_scalar(self) -> bool:
        """True for a constant without axes."""
        return self.is_constant and self.shape == ()

    @property
    def is_column(self) -> bool:
        """True for one value a row."""
        return not self.is_constant and self.shape == (None,)


Rule = Callable[["Maker", Value], Value | None]


class Maker:
    """Makes values, each distinct one once, and in its simplest form by the rules."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Begin with nothing made; each rule returns a simpler equal value, or None."""
        self._rules = rules
        self._made: dict[object, Value] = {}

    def make(
        self, operation: str, inputs: Iterable[Value], *, dtype: str, shape: Shape | None,
        **attributes: Attribute,
    ) -> Value:  # fmt: skip
        """Return the value of an operation, or a simpler one that is equal to it."""
        given = tuple(inputs)
        key = (operation, tuple(map(id, given)), repr(sorted(attributes.items())))
        if key not in self._made:
            plain = Value(
                operation=operation, inputs=given, attributes=attributes, dtype=dtype, shape=shape
            )
            self._made[key] = self._simplify(plain)
            self._made[key, "plain"] = plain  # kept, since its inputs are known by their ids
        return self._made[key]

    def constant(self, array: Any) -> Value:
        """Return a constant; strings are objects of type bytes."""
        values = np.asarray(array)
        text = values.dtype == np.object_
        content = tuple(values.ravel().tolist()) if text else values.tobytes()
        key = (CONSTANT, values.dtype.str, values.shape, content)
        dtype = "string" if text else values.dtype.name
        return self._keep(key, Value(operation=CONSTANT, dtype=dtype, shape=values.shape, data=values))

    def table(self, keys: Array, values: Array) -> Value:
        """Return a table, its entries sorted by their keys."""
        order = np.argsort(keys, kind="stable")
        data = Table(keys=keys[order], values=values[order])
        entries = self.constant(data.keys), self.constant(data.values)
        table = Value(operation=TABLE, dtype=entries[1].dtype, shape=None, data=data)
        return self._keep((TABLE, *map(id, entries)), table)

    def input(self, name: str, dtype: str) -> Value:
        """Return a column that is given."""
        return self._keep((INPUT, name), Value(operation=INPUT, dtype=dtype, shape=(None,), data=name))

    def _keep(self, key: object, value: Value) -> Value:
        return self._made.setdefault(key, value)

    def _simplify(self, value: Value) -> Value:
        for rule in self._rules:
            if (simpler := rule(self, value)) is not None:
                return simpler
        return value

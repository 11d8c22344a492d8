"""Rules about what is known of values before any row is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from components.training.twin.values import CONSTANT, Maker, Value


def choose_beforehand(maker: Maker, value: Value) -> Value | None:
    """A `SelectV2` whose condition is the same for all: the branch that it takes, if that has the shape."""
    del maker
    if value.operation != "SelectV2" or (condition := _decide(value.inputs[0])) is None:
        return None
    taken = value.inputs[1] if condition else value.inputs[2]
    return taken if taken.shape == value.shape else None


def divide_plainly(maker: Maker, value: Value) -> Value | None:
    """A `DivNoNan` by constants that are not 0: a `RealDiv`."""
    if value.operation != "DivNoNan" or not value.inputs[1].is_constant:
        return None
    if not np.all(value.inputs[1].data):
        return None
    return maker.make("RealDiv", value.inputs, dtype=value.dtype, shape=value.shape)


def find_lowest(value: Value) -> int | None:
    """Return a number below which no entry of whole numbers can be; None when none is known."""
    if not value.dtype.startswith("int") or (bound := _LOWEST.get(value.operation)) is None:
        return None
    return bound(value)


def _decide(condition: Value) -> bool | None:
    if condition.is_scalar:
        return bool(condition.data)
    if condition.operation != "Less" or not condition.inputs[1].is_scalar:
        return None
    lowest = find_lowest(condition.inputs[0])
    return False if lowest is not None and lowest >= condition.inputs[1].data else None


def _least(*values: Value) -> int | None:
    found = [find_lowest(one) for one in values]
    return None if None in found else min(one for one in found if one is not None)


def _sum(first: Value, second: Value) -> int | None:
    found = find_lowest(first), find_lowest(second)
    return None if found[0] is None or found[1] is None else found[0] + found[1]


_LOWEST: Mapping[str, Callable[[Value], int | None]] = {
    CONSTANT: lambda value: int(value.data.min(initial=np.iinfo(value.data.dtype).max)),
    "LookupTableFindV2": lambda value: _least_entry(value),
    "StringToHashBucketFast": lambda _: 0,
    "AddV2": lambda value: _sum(*value.inputs),
    "Cast": lambda value: find_lowest(value.inputs[0]),
    "GatherV2": lambda value: find_lowest(value.inputs[0]),
    "Pack": lambda value: _least(*value.inputs),
    "SelectV2": lambda value: _least(*value.inputs[1:]),
}


def _least_entry(value: Value) -> int | None:
    table, _, default = value.inputs
    if not default.is_scalar:
        return None
    return int(table.data.values.min(initial=default.data))

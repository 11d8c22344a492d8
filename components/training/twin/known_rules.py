"""Rules about what is known of values before any row is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from components.common.twin.kinds import flush
from components.training.twin.values import CONSTANT, Maker, Value

Range = tuple[int, int]  # the least and the greatest that there can be
_Find = Callable[[Value], Range | None]


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
    if not np.all(flush(value.inputs[1].data)):
        return None
    return maker.make("RealDiv", value.inputs, dtype=value.dtype, shape=value.shape)


def find_range(value: Value) -> Range | None:
    """Return between what all entries of whole numbers are; None when that is not known, or they wrap."""
    found: dict[Value, Range | None] = {}
    waiting = [value]
    while waiting:
        one = waiting[-1]
        bound = _RANGES.get(one.operation) if one.dtype.startswith("int") else None
        unknown = [other for other in one.inputs if other not in found] if bound else []
        if unknown:
            waiting += unknown
            continue
        found[one] = _within(bound(one, found.get), one.dtype) if bound else None
        waiting.pop()
    return found[value]


def _within(found: Range | None, dtype: str) -> Range | None:
    limits = np.iinfo(dtype)
    return found if found and limits.min <= found[0] and found[1] <= limits.max else None


def _decide(condition: Value) -> bool | None:
    if condition.is_scalar:
        return bool(condition.data)
    if condition.operation != "Less" or not condition.inputs[1].is_scalar:
        return None
    found = find_range(condition.inputs[0])
    return False if found and found[0] >= condition.inputs[1].data else None


def _either(values: Sequence[Value], find: _Find) -> Range | None:
    found = [one for one in map(find, values) if one]
    if len(found) < len(values):
        return None
    return min(one[0] for one in found), max(one[1] for one in found)


def _sum(value: Value, find: _Find) -> Range | None:
    one, other = map(find, value.inputs)
    return (one[0] + other[0], one[1] + other[1]) if one and other else None


def _entries(value: Value, find: _Find) -> Range | None:
    table, _, default = value.inputs
    if (apart := find(default)) is None:
        return None
    found = table.data.values
    return int(found.min(initial=apart[0])), int(found.max(initial=apart[1]))


_RANGES: Mapping[str, Callable[[Value, _Find], Range | None]] = {
    CONSTANT: lambda value, _: (int(value.data.min()), int(value.data.max())) if value.data.size else None,
    "LookupTableFindV2": _entries,
    "StringToHashBucketFast": lambda value, _: (0, cast("int", value.attributes["num_buckets"]) - 1),
    "AddV2": _sum,
    "Cast": lambda value, find: find(value.inputs[0]),
    "ConcatV2": lambda value, find: _either(value.inputs[:-1], find),
    "GatherV2": lambda value, find: find(value.inputs[0]),
    "Pack": lambda value, find: _either(value.inputs, find),
    "SelectV2": lambda value, find: _either(value.inputs[1:], find),
}

"""Rules about tables: what is computed from an entry alone is computed beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.training.twin.elementwise import ELEMENTWISE
from components.training.twin.evaluate import evaluate
from components.training.twin.values import Maker, Value

_FIND = "LookupTableFindV2"


def compute_in_table(maker: Maker, value: Value) -> Value | None:
    """An operation of what was looked up and of constants: a table of its results."""
    found = [one for one in value.inputs if not one.is_scalar]
    if not _may_be_entries(value) or len(found) != 1 or not _is_lookup(found[0]):
        return None
    table, keys, default = found[0].inputs

    def compute(entries: NDArray[Any]) -> NDArray[Any] | None:
        inputs = [entries if one is found[0] else one.data for one in value.inputs]
        return evaluate(value.operation, inputs, value.attributes)

    computed, otherwise = compute(table.data.values), compute(default.data)
    if computed is None or otherwise is None:
        return None
    return _find(maker, value, keys, table.data.keys, computed, otherwise)


def compute_in_tables(maker: Maker, value: Value) -> Value | None:
    """An operation of a `Pack` of columns that were looked up, and of constants: a `Pack` of lookups."""
    found = [one for one in value.inputs if not one.is_constant]
    if not _may_be_entries(value) or len(found) != 1 or found[0].operation != "Pack":
        return None
    lanes = found[0].inputs
    if found[0].shape != (None, len(lanes)) or not all(map(_is_lookup, lanes)):
        return None
    if any(one.shape not in ((), (len(lanes),)) for one in value.inputs if one is not found[0]):
        return None

    def operands(place: int) -> Iterator[Value]:
        for one in value.inputs:
            if one is found[0]:
                yield lanes[place]
            else:
                yield one if one.is_scalar else maker.constant(one.data[place])

    def compute(place: int) -> Value:
        dtype, attributes = value.dtype, value.attributes
        return maker.make(value.operation, operands(place), dtype=dtype, shape=(None,), **attributes)

    computed = [compute(place) for place in range(len(lanes))]
    return maker.make("Pack", computed, dtype=value.dtype, shape=value.shape, axis=1)


def look_up_what_is_apart(maker: Maker, value: Value) -> Value | None:
    """A lookup but for one key, which has an answer of its own: that key becomes an entry."""
    if value.operation != "SelectV2":
        return None
    test, *branches = value.inputs
    if test.operation not in ("Equal", "NotEqual"):
        return None
    found, apart = branches if test.operation == "NotEqual" else reversed(branches)
    tested = [one for one in test.inputs if one.is_scalar]
    if not _is_lookup(found) or not apart.is_scalar or len(tested) != 1:
        return None
    table, keys, default = found.inputs
    if keys not in test.inputs:
        return None
    others = np.array([key != tested[0].data.item() for key in table.data.keys.tolist()], np.bool_)
    return _find(
        maker, value, keys,
        np.concatenate([table.data.keys[others], tested[0].data.reshape(1)]),
        np.concatenate([table.data.values[others], apart.data.reshape(1)]),
        default.data,
    )  # fmt: skip


def _is_lookup(value: Value) -> bool:
    return value.operation == _FIND and value.inputs[2].is_scalar


def _may_be_entries(value: Value) -> bool:
    """Return whether a table could hold what an operation gives; it holds no booleans."""
    return value.operation in ELEMENTWISE and value.dtype != "bool"


def _find(
    maker: Maker, value: Value, keys: Value, entries: NDArray[Any], values: NDArray[Any], default: Any
) -> Value:
    inputs = [maker.table(entries, values), keys, maker.constant(default)]
    return maker.make(_FIND, inputs, dtype=value.dtype, shape=value.shape)

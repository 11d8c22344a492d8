"""Operations on each element, as TensorFlow computes them: arithmetic, comparison, choice, conversion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from components.common.twin.kinds import (
    Attributes,
    Maker,
    Operation,
    OperationError,
    Values,
    array_type,
    flush,
)

_EXACT = ("int32", "int64")  # for others TensorFlow gives what the processor happens to give
_erf, _erfc = np.frompyfunc(math.erf, 1, 1), np.frompyfunc(math.erfc, 1, 1)


def _of_one(function: Operation) -> Operation:
    """Return an operation that takes denormals for 0."""

    def compute(values: Values) -> Values:
        return function(flush(values))

    return compute


def _of_two(function: Operation) -> Operation:
    """Return an operation that takes denormals for 0."""

    def compute(left: Values, right: Values) -> Values:
        return function(flush(left), flush(right))

    return compute


def _floor_div(left: Values, right: Values) -> Values:
    if left.dtype.kind == "f":
        return np.floor(flush(left / right))
    return np.floor_divide(left, _without_zero(left, right))


def _floor_mod(left: Values, right: Values) -> Values:
    if left.dtype.kind != "f":
        return np.mod(left, _without_zero(left, right))
    rest = flush(np.fmod(left, right))
    return np.where((rest != 0) & ((rest < 0) != (right < 0)), rest + right, rest)


def _without_zero(divided: Values, divisor: Values) -> Values:
    if divided.size and not divisor.all():
        raise OperationError("a whole number divided by zero")
    return divisor


def _div_no_nan(left: Values, right: Values) -> Values:
    return np.where(right == 0, left.dtype.type(0), left / right)


def _mul_no_nan(left: Values, right: Values) -> Values:
    return np.where(right == 0, left.dtype.type(0), left * right)


def _pow(base: Values, exponent: Values) -> Values:
    if base.dtype.kind == "i" and (exponent < 0).any():
        raise OperationError("a whole number to a negative power")
    return np.power(base, exponent)


def _squared_difference(left: Values, right: Values) -> Values:
    return np.square(left - right)


def _clip_by_value(values: Values, low: Values, high: Values) -> Values:
    return np.maximum(np.minimum(values, high), low)


def _add_n(*values: Values) -> Values:
    return reduce(np.add, values)


def _rsqrt(values: Values) -> Values:
    return np.reciprocal(np.sqrt(values))


def _error_function(values: Values) -> Values:
    return np.asarray(_erf(values)).astype(values.dtype)


def _rest_of_error_function(values: Values) -> Values:
    return np.asarray(_erfc(values)).astype(values.dtype)


def _select(condition: Values, yes: Values, no: Values) -> Values:
    """Choose whole rows where the condition has one value a row; `SelectV2` would broadcast instead."""
    if condition.ndim < yes.ndim and condition.ndim == 1:
        condition = condition.reshape(-1, *(1,) * (yes.ndim - 1))
    return np.where(condition, yes, no)


def _select_broadcast(condition: Values, yes: Values, no: Values) -> Values:
    """Choose value by value; `np.where` itself tells its number of inputs only from NumPy 2 on."""
    return np.where(condition, yes, no)


def _cast(attributes: Attributes) -> Operation:
    name = str(attributes["DstT"])
    kind = array_type(name)

    def cast(values: Values) -> Values:
        if values.dtype.kind == "f" and kind.kind in "iu":
            return _whole(values, kind)
        return flush(values).astype(kind)

    return cast


def _whole(values: Values, kind: np.dtype[Any]) -> Values:
    """Cut floats to whole numbers; what does not fit becomes the smallest of all, as on x86-64."""
    limits = np.iinfo(kind.name)
    fits = (values > float(limits.min) - 1) & (values < float(limits.max) + 1)
    fits |= values == float(limits.min)
    if fits.all():
        return values.astype(kind)
    if kind.name not in _EXACT:
        raise OperationError(f"a number that {kind.name} cannot hold")
    return np.where(fits, np.where(fits, values, 0).astype(kind), kind.type(limits.min))


FUNCTIONS: Mapping[str, Operation] = {
    "Add": np.add, "AddV2": np.add, "AddN": _add_n, "Sub": np.subtract, "Mul": _of_two(np.multiply),
    "MulNoNan": _of_two(_mul_no_nan), "RealDiv": _of_two(np.divide), "DivNoNan": _of_two(_div_no_nan),
    "FloorDiv": _of_two(_floor_div), "FloorMod": _of_two(_floor_mod), "Pow": _of_two(_pow),
    "Maximum": np.maximum, "Minimum": np.minimum,
    "SquaredDifference": _squared_difference, "ClipByValue": _clip_by_value,
    "Abs": np.absolute, "Neg": np.negative, "Sign": _of_one(np.sign), "Square": np.square,
    "Sqrt": _of_one(np.sqrt), "Rsqrt": _of_one(_rsqrt), "Reciprocal": _of_one(np.reciprocal),
    "Exp": np.exp, "Expm1": np.expm1, "Log": _of_one(np.log), "Log1p": np.log1p, "Sin": np.sin,
    "Cos": np.cos, "Tan": np.tan, "Atan": np.arctan, "Floor": _of_one(np.floor),
    "Ceil": _of_one(np.ceil), "Round": np.rint, "Rint": np.rint, "Erf": _error_function,
    "Erfc": _rest_of_error_function,
    "Equal": _of_two(np.equal), "NotEqual": _of_two(np.not_equal), "Less": _of_two(np.less),
    "LessEqual": _of_two(np.less_equal), "Greater": _of_two(np.greater),
    "GreaterEqual": _of_two(np.greater_equal), "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or, "LogicalNot": np.logical_not, "IsFinite": np.isfinite, "IsInf": np.isinf,
    "IsNan": np.isnan, "Select": _select, "SelectV2": _select_broadcast,
}  # fmt: skip

MAKERS: Mapping[str, Maker] = {"Cast": _cast}

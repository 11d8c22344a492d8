"""What the files of operations share: types, and the error of values that nothing can be computed of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.errors import BadInputError

Values = NDArray[Any]  # strings are objects of type bytes
Attributes = Mapping[str, Any]
Operation = Callable[..., Any]  # arrays in TensorFlow's order -> an array
Maker = Callable[[Attributes], Operation]


NUMBERS = frozenset(
    np.dtype(name) for name in ("bool", "uint8", "int32", "int64", "float32", "float64")
)  # all types but strings


_LEAST = {kind.itemsize: np.finfo(kind).tiny for kind in NUMBERS if kind.kind == "f"}


class OperationError(ArithmeticError):
    """There is no answer for these values; TensorFlow has none either."""


def array_type(name: str) -> np.dtype[Any]:
    """Return NumPy's type of a type's name in a program: `string` is objects of type bytes.

    Raises:
        BadInputError: It is none of the seven types.
    """
    if name == "string":
        return np.dtype(np.object_)
    known = {kind.name: kind for kind in NUMBERS}
    if name not in known:
        raise BadInputError("a type that is not on the list", value=name)
    return known[name]


def flush(values: Values) -> Values:
    """Return 0 of their sign for denormals, as the processor does for TensorFlow."""
    if values.dtype.kind != "f":
        return values
    return values * (np.absolute(values) >= _LEAST[values.dtype.itemsize])  # a NaN stays one


def as_texts(strings: list[bytes], shape: tuple[int, ...]) -> Values:
    """Return strings as an array of a shape; NumPy by itself would make one of fixed width."""
    values = np.empty(len(strings), np.object_)
    values[:] = strings
    return values.reshape(shape)

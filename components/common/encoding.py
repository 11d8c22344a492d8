"""How raw values enter a graph: one array per input, missing values as markers that no user can send."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING, Kind, Signature, Task
from components.common.errors import BadInputError

Column = Any  # a sequence of Python values, a NumPy array, or an Arrow array, chunked or not
Values = NDArray[Any]

_LEAST = np.finfo(np.float32).tiny  # smaller ones have fewer digits


class InputError(BadInputError):
    """A request's input, or one value of it, is not what the signature says.

    Attributes:
        input: Name of the input.
        row: Number of the row, from 0; None when it is about the whole input.
    """

    def __init__(
        self, what: str, *, name: str, row: int | None = None, value: object = None, fix: str | None = None
    ) -> None:
        """Keep the place, and say it as all errors do."""
        where = f"input `{name}`" if row is None else f"input `{name}`, row {row}"
        super().__init__(what, where=where, value=value, fix=fix)
        self.input, self.row = name, row


DATATYPES: dict[Kind, str] = {
    "integer": "INT64",
    "boolean": "INT64",
    "float": "FP32",
    "string": "BYTES",
    "date": "BYTES",
    "timestamp": "BYTES",
}


def encode_columns(
    columns: Mapping[str, Column], signature: Signature, *, require: bool = False
) -> dict[str, Values]:
    """Turn raw columns into what the serving function takes.

    Args:
        columns: Values by name, all of one length: sequences of Python values (JSON), NumPy arrays, or
            Arrow arrays as read from `examples`. Names that the signature lacks are left out.
        signature: The model's inputs.
        require: Refuse a null in an input that is not optional. A server does; offline a null becomes
            the marker, and the graph has an answer to it.

    Returns:
        One array `[rows]` per input, in the signature's order: float32, int64, or object (bytes, UTF-8).
        None, and NaN in a float, become the marker of the type.

    Raises:
        BadInputError: An input that is not optional is absent, lengths differ, or a value is not of the
            input's type; the input, the row and the value are named.
    """
    rows = _common_length(columns, [entry["name"] for entry in signature.inputs])
    encoded: dict[str, Values] = {}
    for entry in signature.inputs:
        name, datatype = entry["name"], entry["datatype"]
        if name not in columns and not entry["optional"]:
            raise InputError("a required input is absent", name=name, fix="send it")
        encoded[name] = encode_column(columns.get(name, [None] * rows), datatype, name=name)
        if require and not entry["optional"]:
            _require_present(encoded[name], name)
    return encoded


def encode_column(values: Column, datatype: str, *, name: str) -> Values:
    """Turn one raw column into the array of its datatype; see `encode_columns`.

    Args:
        values: The column.
        datatype: `FP32`, `INT64` or `BYTES`.
        name: Input it belongs to, for errors.

    Raises:
        BadInputError: A value is not of that type, or is a marker itself.
    """
    if hasattr(values, "to_pylist"):  # Arrow: no Python object per value, and typed already
        return _from_arrow(values, datatype, name)
    listed: Sequence[Any] = values.tolist() if hasattr(values, "tolist") else values
    if (whole := _all_at_once(listed, datatype)) is not None:
        return whole
    convert = {"FP32": _float, "INT64": _integer, "BYTES": _bytes}[datatype]
    dtype = {"FP32": np.float32, "INT64": np.int64, "BYTES": np.object_}[datatype]
    encoded = np.empty(len(listed), dtype)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which graphs take for missing
        for row, value in enumerate(listed):
            try:
                encoded[row] = convert(value)
            except (TypeError, ValueError, OverflowError) as error:
                what = f"not a value of type {datatype}"
                raise InputError(what, name=name, row=row, value=value) from error
    return encoded


def missing_mask(values: Values) -> NDArray[np.bool_]:
    """Return which entries of an encoded array `[rows]` are missing."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "i":
        return np.asarray(values == MISSING_INTEGER, np.bool_)
    marker = MISSING_STRING.encode()  # compared in Python: NumPy strips NULs and would find ""
    return np.fromiter((value == marker for value in values), np.bool_, len(values))


def edge_mask(values: Values) -> NDArray[np.bool_]:
    """Return which entries of an encoded array `[rows]` no server takes: engines differ on them.

    They are floats that are infinite, or denormal (0 < |x| < 2 to the -126), which some take for 0.
    """
    if values.dtype.kind != "f":
        return np.zeros(len(values), np.bool_)
    size = np.absolute(values)
    return np.isinf(size) | (size > 0) & (size < _LEAST)


def _from_arrow(values: Column, datatype: str, name: str) -> Values:
    try:
        if datatype == "FP32":
            with np.errstate(over="ignore"):
                return np.asarray(values).astype(np.float32)
        if datatype == "INT64":
            return np.asarray(values.cast("int64").fill_null(MISSING_INTEGER), np.int64)
        return np.asarray(values.cast("binary").fill_null(MISSING_STRING.encode()), np.object_)
    except (TypeError, ValueError) as error:  # Arrow's own errors are ValueErrors and TypeErrors
        raise BadInputError(f"not a column of type {datatype}: {error}", where=f"input `{name}`") from error


def _all_at_once(listed: Sequence[Any], datatype: str) -> Values | None:
    """Return the array of values of plain types; None where one must be looked at by itself."""
    kinds = set(map(type, listed))
    if not kinds <= _PLAIN[datatype]:
        return None
    try:
        if datatype == "BYTES":
            marker = MISSING_STRING.encode()
            encoded = [marker if value is None else value.encode() for value in listed]
            return None if MISSING_STRING in listed else np.array(encoded, np.object_)
        if datatype == "FP32":
            with np.errstate(over="ignore"):
                return np.array(listed, np.float64).astype(np.float32)
        whole = np.array(listed, np.int64)
    except (OverflowError, UnicodeEncodeError):
        return None
    return None if (whole == MISSING_INTEGER).any() else whole


_PLAIN: dict[str, set[type]] = {
    "FP32": {float, int, type(None)}, "INT64": {int}, "BYTES": {str, type(None)}
}  # fmt: skip


def _float(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _integer(value: Any) -> int:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING_INTEGER
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    if not isinstance(value, (int, float)) or value == MISSING_INTEGER:
        raise TypeError
    return int(value)


def _bytes(value: Any) -> bytes:
    if value is None:
        return MISSING_STRING.encode()
    encoded = value.encode() if isinstance(value, str) else value
    if not isinstance(encoded, bytes) or encoded == MISSING_STRING.encode():
        raise TypeError
    return encoded


def _common_length(columns: Mapping[str, Column], names: Sequence[str]) -> int:
    lengths = {name: len(columns[name]) for name in names if name in columns}
    if len(set(lengths.values())) > 1:
        raise BadInputError(
            "inputs differ in length", where="inputs", value=lengths, fix="send one value a row"
        )
    return next(iter(lengths.values()), 0)


def _require_present(values: Values, name: str) -> None:
    missing = missing_mask(values)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise InputError("a required value is missing", name=name, row=row, fix="send a value")


def class_name(value: Any) -> str:
    """Return how a label value stands in `classes`: whole numbers without a point, else `str`."""
    if isinstance(value, (bool, float)) and math.isfinite(value) and float(value).is_integer():
        return str(int(value))
    return str(value)


def encode_label(values: Column, task: Task, classes: Sequence[str]) -> tuple[Values, NDArray[np.bool_]]:
    """Turn a label column into what is learnt.

    Args:
        values: The raw label column `[rows]`.
        task: What is learnt.
        classes: Label values by class index, as `class_name` writes them; empty for regression.

    Returns:
        The label `[rows]` — float32 for binary (0 or 1) and regression, int64 (class index) for
        multiclass — and which rows have one: not null, finite, and a known class. The others hold 0.
    """
    if task == "regression":
        with np.errstate(over="ignore"):
            label = _numbers(values).astype(np.float32)
        known = np.isfinite(label)
        return np.where(known, label, np.float32(0)), known
    index = {name: position for position, name in enumerate(classes)}
    if hasattr(values, "dictionary_encode"):  # Arrow: each value is looked up once
        encoded = [each.dictionary_encode("encode") for each in getattr(values, "chunks", [values])]
        found = np.concatenate([np.empty(0, np.int64)] + [
            _positions(each.dictionary.to_pylist(), index)[each.indices.to_numpy()] for each in encoded
        ])  # fmt: skip
    else:
        found = _positions(list(values), index)
    label = np.maximum(found, 0)
    return (label.astype(np.float32) if task == "binary" else label), found >= 0


def _numbers(values: Column) -> Values:
    if hasattr(values, "cast"):
        return np.asarray(values.cast("float64"), np.float64)
    return np.array([math.nan if value is None else value for value in values], np.float64)


def _positions(values: Sequence[Any], index: Mapping[str, int]) -> Values:
    positions = [-1 if value is None else index.get(class_name(value), -1) for value in values]
    return np.array(positions, np.int64)

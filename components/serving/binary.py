"""Tensors as bytes: the binary extension of the Open Inference Protocol, and the raw contents of its gRPC.

Little-endian numbers without gaps; a string is its length as 4 bytes, and its bytes. There is no null in
them: a missing value is its marker (docs/adr/0005-missing-values.md), in inputs that may be missing.
Source: https://github.com/kserve/open-inference-protocol, extension "binary tensor data".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.common.encoding import InputError, Values

_NUMBERS = {"FP32": np.dtype("<f4"), "INT64": np.dtype("<i8")}


def read_binary(content: bytes, datatype: str, name: str) -> list[Any]:
    """Return the values of a tensor, None where a value is missing.

    Args:
        content: Its bytes.
        datatype: `FP32`, `INT64` or `BYTES`.
        name: Input it belongs to, for errors.

    Raises:
        InputError: The bytes do not make whole values, or a string is no UTF-8.
    """
    if datatype == "BYTES":
        return [_text(value, row, name) for row, value in enumerate(_split(content, name))]
    kind = _NUMBERS[datatype]
    if len(content) % kind.itemsize:
        what = f"the bytes are no multiple of {kind.itemsize}, the size of {datatype}"
        raise InputError(what, name=name, value=len(content))
    return unmarked(np.frombuffer(content, kind).tolist(), datatype)


def unmarked(values: Iterable[Any], datatype: str) -> list[Any]:
    """Return numbers with None in the place of the marker of their type."""
    if datatype == "FP32":
        return [None if value != value else value for value in values]
    return [None if value == MISSING_INTEGER else value for value in values]


def unmarked_texts(values: Iterable[bytes], name: str) -> list[str | None]:
    """Return byte strings as text, None in the place of the marker; raises `InputError` by row."""
    return [_text(value, row, name) for row, value in enumerate(values)]


def write_binary(values: Values) -> bytes:
    """Return an output's numbers `[rows]` or `[rows, classes]` as bytes."""
    return np.ascontiguousarray(values, _NUMBERS["FP32" if values.dtype.kind == "f" else "INT64"]).tobytes()


def _split(content: bytes, name: str) -> Iterable[bytes]:
    place = 0
    while place < len(content):
        start = place + 4
        size = struct.unpack_from("<I", content, place)[0] if start <= len(content) else len(content)
        if start + size > len(content):
            raise InputError("a string ends beyond its tensor", name=name)
        place = start + size
        yield content[start:place]


def _text(value: bytes, row: int, name: str) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8", name=name, row=row) from error
    return None if text == MISSING_STRING else text

"""Operations on strings of bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

import numpy as np

from components.common.errors import BadInputError
from components.common.twin.fingerprint import fingerprint64
from components.common.twin.kinds import (
    Attributes,
    Maker,
    Operation,
    OperationError,
    Values,
    array_type,
    as_texts,
    flush,
)

_FLOAT = re.compile(
    rb"[ \t-\r]*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)[ \t-\r]*", re.IGNORECASE
)
_WHOLE = re.compile(rb"[ \t-\r]*[+-]?\d+[ \t-\r]*")
_WIDEST = 1000  # letters and decimals that a number is written with, lest one number fill the memory
_FILLS = ("", " ", "+", "-", "0", "#")


def _each(change: Callable[[bytes], bytes]) -> Operation:
    def change_each(texts: Values) -> Values:
        return as_texts([change(text) for text in texts.ravel().tolist()], texts.shape)

    return change_each


def _encoded(name: str, change: Callable[[bytes], bytes]) -> Maker:
    def make(attributes: Attributes) -> Operation:
        if attributes["encoding"]:
            what = f"`{name}` of an encoding that is not on the list"
            raise BadInputError(what, value=attributes["encoding"])
        return _each(change)  # ASCII letters alone, in TensorFlow as in Python's bytes

    return make


def _as_string(attributes: Attributes) -> Operation:
    width, precision, fill = int(attributes["width"]), int(attributes["precision"]), attributes["fill"]
    if max(width, precision) > _WIDEST or fill not in _FILLS:
        what = "`AsString` of a width, precision or fill that is not on the list"
        raise BadInputError(what, value=(width, precision, fill))
    head = f"%{fill}{width if width >= 0 else ''}"
    letter = "e" if attributes["scientific"] else "g" if attributes["shortest"] else "f"
    real = f"{head}{f'.{precision}' if precision >= 0 else ''}{letter}".encode()
    whole = f"{head}d".encode()

    def as_string(values: Values) -> Values:
        listed = flush(values).ravel().tolist()
        if values.dtype.kind == "b":
            return as_texts([b"true" if value else b"false" for value in listed], values.shape)
        if values.dtype.kind == "f":
            return as_texts([_signed(real % value, value) for value in listed], values.shape)
        return as_texts([whole % value for value in listed], values.shape)

    return as_string


def _signed(text: bytes, value: float) -> bytes:
    """Return what C writes: the sign of a NaN too, which Python leaves out."""
    return b"-" + text if value != value and math.copysign(1, value) < 0 else text


def _join(attributes: Attributes) -> Operation:
    separator = str(attributes["separator"]).encode()

    def join(*parts: Values) -> Values:
        spread = np.broadcast_arrays(*parts)
        rows = zip(*(part.ravel().tolist() for part in spread), strict=True)
        return as_texts([separator.join(row) for row in rows], spread[0].shape)

    return join


def _length(attributes: Attributes) -> Operation:
    def count(text: bytes) -> int:
        return sum(byte & 0xC0 != 0x80 for byte in text)

    measure = count if attributes["unit"] == "UTF8_CHAR" else len

    def length(texts: Values) -> Values:
        found = map(measure, texts.ravel().tolist())
        return np.fromiter(found, np.int32, texts.size).reshape(texts.shape)

    return length


def _substring(attributes: Attributes) -> Operation:
    if attributes["unit"] != "BYTE":
        raise BadInputError("`Substr` of a unit that is not on the list", value=attributes["unit"])

    def part(text: bytes, start: int, count: int) -> bytes:
        if not -len(text) <= start <= len(text):
            raise OperationError("a part that begins outside its string")
        start += len(text) if start < 0 else 0
        return text[start:] if count < 0 else text[start : start + count]  # as TensorFlow has it

    def substring(texts: Values, starts: Values, counts: Values) -> Values:
        spread = np.broadcast_arrays(texts, starts, counts)
        rows = zip(*(part.ravel().tolist() for part in spread), strict=True)
        return as_texts([part(*row) for row in rows], spread[0].shape)

    return substring


def _to_number(attributes: Attributes) -> Operation:
    kind = array_type(attributes["out_type"])
    form, convert = (_FLOAT, float) if kind.kind == "f" else (_WHOLE, int)

    def read(text: bytes) -> float:
        if not form.fullmatch(text):
            raise OperationError("a string that is no number")
        return convert(text)

    def to_number(texts: Values) -> Values:
        numbers = [read(text) for text in texts.ravel().tolist()]
        try:
            read_all = np.array(numbers, np.float64 if kind.kind == "f" else kind)
            return flush(read_all.astype(kind)).reshape(texts.shape)
        except OverflowError as error:
            raise OperationError("a string that is too large a number") from error

    return to_number


def _decode(attributes: Attributes) -> Operation:
    kind = array_type(attributes["out_type"])
    stored = kind.newbyteorder("<" if attributes["little_endian"] else ">")

    def decode(texts: Values, length: Values) -> Values:
        size = int(length)
        content = b"".join([text[:size].ljust(size, b"\0") for text in texts.ravel().tolist()])
        numbers = np.frombuffer(content, stored).astype(kind, copy=False)
        return numbers.reshape(*texts.shape, size // kind.itemsize)

    return decode


def _hash_bucket(attributes: Attributes) -> Operation:
    buckets = np.uint64(int(attributes["num_buckets"]))

    def hash_bucket(texts: Values) -> Values:
        hashes = fingerprint64(texts.ravel().tolist())
        return (hashes % buckets).astype(np.int64).reshape(texts.shape)

    return hash_bucket


FUNCTIONS: Mapping[str, Operation] = {"StringStrip": _each(bytes.strip)}

MAKERS: Mapping[str, Maker] = {
    "AsString": _as_string, "DecodePaddedRaw": _decode, "StringJoin": _join, "StringLength": _length,
    "StringLower": _encoded("StringLower", bytes.lower), "StringToHashBucketFast": _hash_bucket,
    "StringToNumber": _to_number, "StringUpper": _encoded("StringUpper", bytes.upper), "Substr": _substring,
}  # fmt: skip

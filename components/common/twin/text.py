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

_DECIMAL = rb"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?"
_HEXADECIMAL = rb"(?P<hexadecimal>0x([\da-f]+\.?[\da-f]*|\.[\da-f]+)(p[+-]?\d+)?)"
_NAMED = rb"inf(inity)?|nan(\(\w*\))?"
_FLOAT = re.compile(rb"[ \t-\r]*[+-]?(%b|%b|%b)[ \t-\r]*" % (_HEXADECIMAL, _DECIMAL, _NAMED), re.IGNORECASE)
_WHOLE = re.compile(rb"[ \t-\r]*([+-]?)0*(\d{1,19})[ \t-\r]*")
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
    whole, unsigned = f"{head}d".encode(), f"%{fill.strip(' +')}{width if width >= 0 else ''}d".encode()

    def write_real(value: float) -> bytes:
        return real % value if math.isfinite(value) else _write_named(value, fill, width)

    def as_string(values: Values) -> Values:
        listed = flush(values).ravel().tolist()
        if values.dtype.kind == "b":
            return as_texts([b"true" if value else b"false" for value in listed], values.shape)
        if values.dtype.kind == "f":
            return as_texts([write_real(value) for value in listed], values.shape)
        form = unsigned if values.dtype.kind == "u" else whole
        return as_texts([form % value for value in listed], values.shape)

    return as_string


def _write_named(value: float, fill: str, width: int) -> bytes:
    """Write an infinity or NaN as C does: Python leaves out a NaN's sign, and pads with zeros."""
    sign = "-" if math.copysign(1, value) < 0 else fill.strip("-0#")
    text = f"{sign}{'nan' if value != value else 'inf'}".encode()
    return text.ljust(width) if fill == "-" else text.rjust(width)


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
    read = _read_real if kind.kind == "f" else _read_whole

    def to_number(texts: Values) -> Values:
        numbers = [read(text) for text in texts.ravel().tolist()]
        try:
            read_all = np.array(numbers, np.float64 if kind.kind == "f" else kind)
            return flush(read_all.astype(kind)).reshape(texts.shape)
        except OverflowError as error:
            raise OperationError("a string that is too large a number") from error

    return to_number


def _read_real(text: bytes) -> float:
    """Read what C's `strtod` reads: decimal, hexadecimal, an infinity, a NaN that may have a payload."""
    if not (form := _FLOAT.fullmatch(text)):
        raise OperationError("a string that is no number")
    if not form["hexadecimal"]:
        return float(text.partition(b"(")[0])
    try:
        return float.fromhex(text.decode())
    except OverflowError:
        return -math.inf if b"-" in text.partition(b"0")[0] else math.inf


def _read_whole(text: bytes) -> int:
    if not (form := _WHOLE.fullmatch(text)):
        raise OperationError("a string that is no whole number, or too large a one")
    return int(form[1] + form[2])


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

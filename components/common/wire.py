"""Protocol buffers by their wire format alone: fields by number, without any library.

Format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are no protocol buffer."""


def fields(message: memoryview) -> Iterator[tuple[int, memoryview | int | float]]:
    """Yield the fields of one message as (number, content).

    Args:
        message: Bytes of the message.

    Yields:
        The content of a length-delimited field without a copy; of a varint its value; of eight fixed bytes
        the double that they are; of four, 0.

    Raises:
        WireError: The bytes end within a field, or a field is of a type that does not exist.
    """
    place, end = 0, len(message)
    while place < end:
        key = message[place]
        if key < 128:
            place += 1
        else:
            key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError("a field without a number")
        if kind == _BYTES:
            size = message[place] if place < end else 128
            if size < 128:  # the common case, without a call
                place += 1
            else:
                size, place = _varint(message, place)
            if place + size > end:
                raise WireError("a field ends beyond its message")
            yield number, message[place : place + size]
            place += size
        elif kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            if place + size > end:
                raise WireError("a field ends beyond its message")
            yield number, float(struct.unpack_from("<d", message, place)[0]) if size == 8 else 0
            place += size
        else:
            raise WireError(f"a field of type {kind}")


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the length-delimited fields of one number; raises `WireError` as `fields`."""
    for found, content in fields(message):
        if found == number:
            if not isinstance(content, memoryview):
                raise WireError(f"field {number} is no message")
            yield content


def text(message: memoryview, number: int) -> str:
    """Return a string field, the last one as the format demands; empty when there is none."""
    found = b""
    for content in messages(message, number):
        found = bytes(content)
    return found.decode(errors="replace")


def packed(content: memoryview) -> list[int]:
    """Return the numbers of a packed field; raises `WireError` when the last does not end."""
    numbers: list[int] = []
    place = 0
    while place < len(content):
        number, place = _varint(content, place)
        numbers.append(number)
    return numbers


def message(*given: tuple[int, str | bytes | int]) -> bytes:
    """Write a message: text and bytes (a message, too) length-delimited, numbers from 0 as varints."""
    pieces: list[bytes] = []
    for number, content in given:
        if isinstance(content, int):
            pieces.append(_number(number << 3 | _VARINT) + _number(content))
        else:
            encoded = content.encode() if isinstance(content, str) else content
            pieces.append(_number(number << 3 | _BYTES) + _number(len(encoded)) + encoded)
    return b"".join(pieces)


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
    raise WireError("a number that does not end")

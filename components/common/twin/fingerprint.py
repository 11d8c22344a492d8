"""FarmHash's Fingerprint64, by which TensorFlow puts strings into buckets.

It is written out here because no package ships it as a wheel (`pyfarmhash` is source alone). One text
serves numbers and arrays: a string alone is hashed by Python's integers, many of one length at once by
NumPy's. All is cut to 64 bits after each sum and product, which changes nothing for `uint64`.

Source: G. Pike, FarmHash, `farmhashna::Hash64` (https://github.com/google/farmhash).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Word = Any  # an int below 2**64, or an array of uint64
Read = Callable[[int, int], Word]  # (place, bytes) -> that part of the string, little-endian

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_ALL = 2**64 - 1
_FEW = 8  # strings of one length, up to which Python's integers are faster


def fingerprint64(strings: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return Fingerprint64 of each string `[n]`."""
    hashes = np.empty(len(strings), np.uint64)
    places: dict[int, list[int]] = {}
    for place, string in enumerate(strings):
        places.setdefault(len(string), []).append(place)
    for size, those in places.items():
        if len(those) <= _FEW:
            for place in those:
                hashes[place] = _farm(_reader(strings[place]), size)
        else:
            hashes[those] = _farm(_table_reader([strings[place] for place in those], size), size)
    return hashes


def _reader(string: bytes) -> Read:
    return lambda place, size: int.from_bytes(string[place : place + size], "little")


def _table_reader(strings: Sequence[bytes], size: int) -> Read:
    table = np.frombuffer(b"".join(strings), np.uint8).reshape(len(strings), size)

    def read(place: int, count: int) -> Word:
        word = np.zeros((len(table), 8), np.uint8)
        word[:, :count] = table[:, place : place + count]
        return word.view("<u8")[:, 0]

    return read


def _rotate(word: Word, by: int) -> Word:
    return (word >> by) | (word << (64 - by)) & _ALL


def _shift_mix(word: Word) -> Word:
    return word ^ (word >> 47)


def _mix(first: Word, second: Word, factor: Word) -> Word:
    once = _shift_mix((first ^ second) * factor & _ALL)
    return _shift_mix((second ^ once) * factor & _ALL) * factor & _ALL


def _farm(read: Read, size: int) -> Word:
    if size <= 16:
        return _farm_short(read, size)
    if size <= 32:
        return _farm_medium(read, size)[0]
    return _farm_half_block(read, size) if size <= 64 else _farm_long(read, size)


def _farm_short(read: Read, size: int) -> Word:
    factor = _K2 + 2 * size & _ALL
    if size >= 8:
        first, last = read(0, 8) + _K2 & _ALL, read(size - 8, 8)
        return _mix(
            _rotate(last, 37) * factor + first & _ALL, (_rotate(first, 25) + last) * factor & _ALL, factor
        )
    if size >= 4:
        return _mix((read(0, 4) << 3) + size, read(size - 4, 4), factor)
    if size > 0:
        low = read(0, 1) + (read(size >> 1, 1) << 8)
        high = (read(size - 1, 1) << 2) + size
        return _shift_mix(low * _K2 & _ALL ^ high * _K0 & _ALL) * _K2 & _ALL
    return _K2


def _farm_medium(read: Read, size: int, scale: int = _K1) -> tuple[Word, Word, Word, Word]:
    """Return the hash of 17 to 32 bytes; and of what it is made, for those up to 64."""
    factor = _K2 + 2 * size & _ALL
    first, second = read(0, 8) * scale & _ALL, read(8, 8)
    third, fourth = read(size - 8, 8) * factor & _ALL, read(size - 16, 8) * _K2 & _ALL
    sums = _rotate(first + second & _ALL, 43) + _rotate(third, 30) + fourth & _ALL
    hashed = _mix(sums, first + _rotate(second + _K2 & _ALL, 18) + third & _ALL, factor)
    return hashed, sums, first, factor


def _farm_half_block(read: Read, size: int) -> Word:
    hashed, sums, first, factor = _farm_medium(read, size, _K2)
    fifth, sixth = read(16, 8) * factor & _ALL, read(24, 8)
    seventh = (sums + read(size - 32, 8)) * factor & _ALL
    eighth = (hashed + read(size - 24, 8)) * factor & _ALL
    return _mix(
        _rotate(fifth + sixth & _ALL, 43) + _rotate(seventh, 30) + eighth & _ALL,
        fifth + _rotate(sixth + first & _ALL, 18) + seventh & _ALL,
        factor,
    )


def _farm_long(read: Read, size: int) -> Word:
    seed, rest = 81, (size - 1) & 63
    x = (seed * _K2 & _ALL) + read(0, 8) & _ALL
    y: Word = seed * _K1 + 113 & _ALL
    z: Word = _shift_mix(y * _K2 + 113 & _ALL) * _K2 & _ALL
    v: tuple[Word, Word] = (0, 0)
    w: tuple[Word, Word] = (0, 0)
    for start in range(0, size - 1 - rest, 64):
        x, y, z, v, w = _farm_block(read, start, x, y, z, v, w, factor=_K1, weight=1)
    factor = _K1 + ((z & 0xFF) << 1) & _ALL
    w = (w[0] + rest & _ALL, w[1])
    v = (v[0] + w[0] & _ALL, v[1])
    w = (w[0] + v[0] & _ALL, w[1])
    x, y, z, v, w = _farm_block(read, size - 64, x, y, z, v, w, factor=factor, weight=9)
    return _mix(
        _mix(v[0], w[0], factor) + (_shift_mix(y) * _K0 & _ALL) + z & _ALL,
        _mix(v[1], w[1], factor) + x & _ALL,
        factor,
    )


def _farm_block(
    read: Read, start: int, x: Word, y: Word, z: Word, v: tuple[Word, Word], w: tuple[Word, Word],
    *, factor: Word, weight: int,
) -> tuple[Word, Word, Word, tuple[Word, Word], tuple[Word, Word]]:  # fmt: skip
    """Take in 64 bytes; the last ones have a factor and a weight of their own."""
    x = _rotate(x + y + v[0] + read(start + 8, 8) & _ALL, 37) * factor & _ALL
    y = _rotate(y + v[1] + read(start + 48, 8) & _ALL, 42) * factor & _ALL
    x = x ^ (w[1] * weight & _ALL)
    y = y + (v[0] * weight & _ALL) + read(start + 40, 8) & _ALL
    z = _rotate(z + w[0] & _ALL, 33) * factor & _ALL
    v = _farm_weak(read, start, v[1] * factor & _ALL, x + w[0] & _ALL)
    w = _farm_weak(read, start + 32, z + w[1] & _ALL, y + read(start + 16, 8) & _ALL)
    return z, y, x, v, w


def _farm_weak(read: Read, start: int, a: Word, b: Word) -> tuple[Word, Word]:
    words = [read(start + offset, 8) for offset in (0, 8, 16, 24)]
    a = a + words[0] & _ALL
    b = _rotate(b + a + words[3] & _ALL, 21)
    c = a
    a = a + words[1] + words[2] & _ALL
    return a + words[3] & _ALL, b + _rotate(a, 44) + c & _ALL

"""A twin's arrays in one ZIP archive: no pickle, and no more memory than is stated (docs/twin.md)."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from components.common.errors import BadInputError
from components.common.storage import publishing
from components.common.twin.kinds import NUMBERS, Values

MOST_BYTES = 1 << 30  # of all arrays together

_TEXT, _ENDS, _MEMBER = ".text", ".ends", ".npy"
_DAMAGE = (  # what is raised for archives and arrays that are none
    OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError, MemoryError, SyntaxError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write_arrays(file: Path, arrays: Mapping[str, Values]) -> None:
    """Write arrays, strings among them; equal ones give equal bytes."""
    members: dict[str, Values] = {}
    for name, values in arrays.items():
        members |= _flatten(name, values)
    with publishing(file) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **dict(sorted(members.items())))


def read_arrays(file: Path) -> dict[str, Values]:
    """Read the members as they are stored; `gather_array` makes the arrays of them.

    Raises:
        BadInputError: The file is missing, is no such archive, or holds more than `MOST_BYTES`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive.infolist())
        with np.load(file, allow_pickle=False) as arrays:
            members = dict(arrays)
        if wrong := [name for name, found in members.items() if not isinstance(found, np.ndarray)]:
            raise ValueError(f"`{wrong[0]}` is no array")
        return members
    except _DAMAGE as error:
        what = f"not readable as the constants of a twin: {error}"
        raise BadInputError(what, where=file, fix="train the model again") from error


def gather_array(name: str, members: Mapping[str, Values]) -> Values:
    """Return an array `[…]`, of one of the seven types.

    Raises:
        KeyError: There is none of that name.
        ValueError: It is of another type, or a string ends outside its text.
    """
    if name in members:
        if members[name].dtype not in NUMBERS:
            raise ValueError(f"`{name}` is of type {members[name].dtype}")
        return members[name]
    text, ends = members[name + _TEXT], members[name + _ENDS]
    if (text.dtype, ends.dtype) != (np.uint8, np.int64):
        raise ValueError(f"`{name}` is of no text")
    strings = np.empty(ends.size, np.object_)
    strings[:] = list(_cut(text.tobytes(), ends.ravel().tolist()))
    return strings.reshape(ends.shape)


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes, and at most {MOST_BYTES:,} are read")
    if wrong := [member.filename for member in members if not member.filename.endswith(_MEMBER)]:
        raise ValueError(f"`{wrong[0]}` is no array")


def _flatten(name: str, values: Values) -> dict[str, Values]:
    """Return the arrays as which values are stored: strings as their bytes and where each one ends."""
    if values.dtype != np.object_:
        return {name: values}
    strings: list[bytes] = values.ravel().tolist()
    ends = np.cumsum([len(one) for one in strings], dtype=np.int64).reshape(values.shape)
    return {name + _TEXT: np.frombuffer(b"".join(strings), np.uint8), name + _ENDS: ends}


def _cut(text: bytes, ends: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for end in ends:
        if not start <= end <= len(text):
            raise ValueError("a string ends outside its text")
        yield text[start:end]
        start = end

"""A twin's program: what it is, and how it lies in `twin/` of a model's folder (docs/twin.md)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from components.common.documents import read_json, write_json
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.common.twin.closed_list import OPERATIONS

FORMAT, VERSION = "millrace/twin", 1
PROGRAM, CONSTANTS = "program.json", "constants.npz"

Values = NDArray[Any]  # strings are objects of type bytes
Attribute = bool | int | float | str | list[int] | list[float] | list[str]

_TEXT, _ENDS = ".text", ".ends"
_KINDS = "biuf"  # of NumPy: boolean, integers, floats


@dataclass(frozen=True, kw_only=True)
class Input:
    """A column that the program takes, `[rows]`.

    Attributes:
        name: As in the model's signature.
        datatype: `FP32`, `INT64` or `BYTES`; missing values are markers, as for the SavedModel.
        value: What steps call it.
    """

    name: str
    datatype: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Output:
    """What the program answers: the value `value`, `[rows]` or `[rows, classes]`, under `name`."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of the closed list.

    Attributes:
        operation: TensorFlow's name of it.
        inputs: Values, constants or tables, in TensorFlow's order.
        outputs: Values that it defines; no name is defined twice.
        attributes: Those that the closed list names. Types are NumPy's names, `string` for text.
    """

    operation: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A dictionary: distinct `keys` `[entries]`, int64 or strings, and their `values` `[entries]`."""

    keys: Values
    values: Values


@dataclass(frozen=True, kw_only=True)
class Program:
    """Steps in the order in which they are computed, and the data that they use."""

    inputs: Sequence[Input]
    outputs: Sequence[Output]
    steps: Sequence[Step]
    constants: Mapping[str, Values]
    tables: Mapping[str, Table]


def write_program(folder: Path, program: Program) -> None:
    """Write `program.json` and `constants.npz` into a folder; equal programs give equal bytes."""
    document = {
        "format": FORMAT,
        "format_version": VERSION,
        "inputs": [asdict(one) for one in program.inputs],
        "outputs": [asdict(one) for one in program.outputs],
        "constants": sorted(program.constants),
        "tables": sorted(program.tables),
        "steps": [asdict(one) for one in program.steps],
    }
    arrays: dict[str, Values] = {}
    for name, table in program.tables.items():
        arrays |= {**_flatten(f"{name}.keys", table.keys), **_flatten(f"{name}.values", table.values)}
    for name, values in program.constants.items():
        arrays |= _flatten(name, values)
    write_json(folder / PROGRAM, document)
    with publishing(folder / CONSTANTS) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **dict(sorted(arrays.items())))


def read_program(folder: Path) -> Program:
    """Read a program.

    Args:
        folder: Folder with `program.json` and `constants.npz`.

    Raises:
        BadInputError: A file is missing or malformed, of another version, an operation is not on the closed
            list or lacks an attribute, a value is used before it is defined, or defined twice.
    """
    file = folder / PROGRAM
    document = read_json(file)
    found = document.get("format"), document.get("format_version")
    if found != (FORMAT, VERSION):
        fix = f"this Millrace reads {FORMAT} version {VERSION}; train the model again with it"
        raise BadInputError("a twin of another format", where=file, value=found, fix=fix)
    arrays = _read_arrays(folder / CONSTANTS)
    try:
        program = Program(
            inputs=[Input(**one) for one in document["inputs"]],
            outputs=[Output(**one) for one in document["outputs"]],
            steps=[Step(**one) for one in document["steps"]],
            constants={name: _gather(name, arrays) for name in document["constants"]},
            tables={
                name: Table(keys=_gather(f"{name}.keys", arrays), values=_gather(f"{name}.values", arrays))
                for name in document["tables"]
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"malformed twin: {error}", where=folder, fix="train the model again"
        ) from error
    check_program(program, where=file)
    return program


def check_program(program: Program, *, where: Path) -> None:
    """Hold a program against the closed list, and every name against its one definition before its use.

    Raises:
        BadInputError: What is wrong, and in which step.
    """
    known = {*program.constants, *program.tables}
    _define(known, [one.value for one in program.inputs], where)
    for number, step in enumerate(program.steps):
        place = f"{where}, step {number}"
        if step.operation not in OPERATIONS:
            _refuse("an operation outside the closed list", place, step.operation)
        if set(step.attributes) != set(OPERATIONS[step.operation]):
            _refuse(f"other attributes than `{step.operation}` has", place, sorted(step.attributes))
        if unknown := [name for name in step.inputs if name not in known]:
            _refuse("a value that is not defined", place, unknown[0])
        _define(known, step.outputs, place)
    if unknown := [one.value for one in program.outputs if one.value not in known]:
        _refuse("an answer that is not defined", where, unknown[0])


def _define(known: set[str], names: Sequence[str], where: object) -> None:
    for name in names:
        if name in known:
            _refuse("a value that is defined twice", where, name)
        known.add(name)


def _refuse(what: str, where: object, value: object) -> NoReturn:
    raise BadInputError(f"malformed twin: {what}", where=where, value=value, fix="train the model again")


def _read_arrays(file: Path) -> dict[str, Values]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError) as error:
        what = f"not readable as the constants of a twin: {error}"
        raise BadInputError(what, where=file, fix="train the model again") from error


def _flatten(name: str, values: Values) -> dict[str, Values]:
    """Return the arrays as which values are stored: strings as their bytes and where each one ends."""
    if values.dtype != np.object_:
        return {name: values}
    strings: list[bytes] = values.ravel().tolist()
    ends = np.cumsum([len(one) for one in strings], dtype=np.int64).reshape(values.shape)
    return {name + _TEXT: np.frombuffer(b"".join(strings), np.uint8), name + _ENDS: ends}


def _gather(name: str, arrays: Mapping[str, Values]) -> Values:
    if name in arrays:
        if arrays[name].dtype.kind not in _KINDS:
            raise ValueError(f"`{name}` is of type {arrays[name].dtype}")
        return arrays[name]
    ends = arrays[name + _ENDS]
    strings = np.empty(ends.size, np.object_)
    strings[:] = list(_cut(arrays[name + _TEXT].tobytes(), ends.ravel().tolist()))
    return strings.reshape(ends.shape)


def _cut(text: bytes, ends: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for end in ends:
        if not start <= end <= len(text):
            raise ValueError("a string ends outside its text")
        yield text[start:end]
        start = end

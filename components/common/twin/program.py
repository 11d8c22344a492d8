"""A twin's program: what it is, and how it lies in `twin/` of a model's folder (docs/twin.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from numpy.typing import NDArray

from components.common.documents import read_json, write_json
from components.common.errors import BadInputError
from components.common.twin.closed_list import OPERATIONS
from components.common.twin.constants import gather_array, read_arrays, write_arrays

FORMAT, VERSION = "millrace/twin", 1
PROGRAM, CONSTANTS = "program.json", "constants.npz"

Values = NDArray[Any]  # strings are objects of type bytes
Attribute = bool | int | float | str | list[int] | list[float] | list[str]

LOOKUP = "LookupTableFindV2"  # the one operation that takes a table: as its first input


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
        outputs: The one value that it defines; no name is defined twice.
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


_Named = TypeVar("_Named", Input, Output)


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
    arrays = dict(program.constants)
    for name, table in program.tables.items():
        arrays |= {f"{name}.keys": table.keys, f"{name}.values": table.values}
    write_json(folder / PROGRAM, document)
    write_arrays(folder / CONSTANTS, arrays)


def read_program(folder: Path) -> Program:
    """Read a program.

    Args:
        folder: Folder with `program.json` and `constants.npz`.

    Raises:
        BadInputError: A file is missing or malformed, of another version, an operation is not on the closed
            list or lacks an attribute, a value is used before it is defined, or defined twice, or a table
            is where none may be. A program holds the types that are said here, whoever wrote it.
    """
    file = folder / PROGRAM
    document = read_json(file)
    found = document.get("format"), document.get("format_version")
    if found != (FORMAT, VERSION):
        fix = f"this Millrace reads {FORMAT} version {VERSION}; train the model again with it"
        raise BadInputError("a twin of another format", where=file, value=found, fix=fix)
    arrays = read_arrays(folder / CONSTANTS)
    try:
        program = _parse(document, arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadInputError(
            f"malformed twin: {error}", where=folder, fix="train the model again"
        ) from error
    check_program(program, where=file)
    return program


def _parse(document: Mapping[str, Any], arrays: Mapping[str, Values]) -> Program:
    return Program(
        inputs=[_strings_of(Input(**one)) for one in document["inputs"]],
        outputs=[_strings_of(Output(**one)) for one in document["outputs"]],
        steps=[_parse_step(**one) for one in document["steps"]],
        constants={name: gather_array(name, arrays) for name in _names(document["constants"])},
        tables={name: _gather_table(name, arrays) for name in _names(document["tables"])},
    )


def _parse_step(operation: object, inputs: object, outputs: object, attributes: object) -> Step:
    if not isinstance(operation, str) or not isinstance(attributes, dict):
        raise TypeError("a step without an operation or attributes")
    given = cast("dict[str, Any]", attributes)
    if wrong := [name for name, value in given.items() if not _is_attribute(value)]:
        raise TypeError(f"`{wrong[0]}` of `{operation}` is neither a plain value nor a list of them")
    return Step(operation=operation, inputs=_names(inputs), outputs=_names(outputs), attributes=given)


def _is_attribute(value: Any) -> bool:
    listed: list[Any] = value if isinstance(value, list) else [value]
    return all(isinstance(one, bool | int | float | str) for one in listed)


def _names(found: object) -> list[str]:
    listed = cast("list[Any]", found if isinstance(found, list) else [None])
    if not all(isinstance(one, str) for one in listed):
        raise TypeError(f"names must be a list of strings, and are {found!r:.100}")
    return listed


def _strings_of(one: _Named) -> _Named:
    if wrong := [name for name, value in vars(one).items() if not isinstance(value, str)]:
        raise TypeError(f"`{wrong[0]}` of an input or output is no string")
    return one


def _gather_table(name: str, arrays: Mapping[str, Values]) -> Table:
    keys, values = gather_array(f"{name}.keys", arrays), gather_array(f"{name}.values", arrays)
    if keys.ndim != 1 or keys.shape != values.shape or len(set(keys.tolist())) < len(keys):
        raise ValueError(f"table `{name}` is not one value for each of distinct keys")
    if keys.dtype.name not in ("int64", "object"):
        raise ValueError(f"table `{name}` has keys of type {keys.dtype}")
    return Table(keys=keys, values=values)


def check_program(program: Program, *, where: Path) -> None:
    """Hold a program against the closed list, and every name against its one definition before its use.

    Raises:
        BadInputError: What is wrong, and in which step.
    """
    known = {*program.tables}
    _define(known, [*program.constants], where)
    if not program.inputs or not program.outputs:
        _refuse("no inputs, or no outputs", where, None)
    _define(known, [one.value for one in program.inputs], where)
    for number, step in enumerate(program.steps):
        place = f"{where}, step {number}"
        _check_step(program, step, place)
        if unknown := [name for name in step.inputs if name not in known]:
            _refuse("a value that is not defined", place, unknown[0])
        _define(known, step.outputs, place)
    answers = known - {*program.tables}
    if unknown := [one.value for one in program.outputs if one.value not in answers]:
        _refuse("an answer that is not defined", where, unknown[0])


def _check_step(program: Program, step: Step, place: str) -> None:
    if step.operation not in OPERATIONS:
        _refuse("an operation outside the closed list", place, step.operation)
    if set(step.attributes) != set(OPERATIONS[step.operation]):
        _refuse(f"other attributes than `{step.operation}` has", place, sorted(step.attributes))
    if len(step.outputs) != 1:
        _refuse(f"another number of outputs than `{step.operation}` has", place, step.outputs)
    tables = [number for number, name in enumerate(step.inputs) if name in program.tables]
    if tables != ([0] if step.operation == LOOKUP else []):
        _refuse("a table where none may be, or none where one must be", place, step.inputs)


def _define(known: set[str], names: Sequence[str], where: object) -> None:
    for name in names:
        if name in known:
            _refuse("a value that is defined twice", where, name)
        known.add(name)


def _refuse(what: str, where: object, value: object) -> NoReturn:
    raise BadInputError(f"malformed twin: {what}", where=where, value=value, fix="train the model again")

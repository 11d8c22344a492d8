"""What a SavedModel could do, read from its bytes before anything loads it, and without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from components.common.errors import BadInputError
from components.common.operations import ALLOWED, CALLS, SAVING
from components.common.wire import WireError, fields, messages, text

# Field numbers of tensorflow/core/protobuf and tensorflow/core/framework, TensorFlow 2.21.
_META_GRAPHS, _GRAPH, _ASSETS, _OBJECTS, _ASSET_NAME = 2, 2, 6, 7, 2
_NODES, _LIBRARY, _FUNCTIONS, _SIGNATURE, _BODY = 1, 2, 1, 1, 3
_NAME, _OPERATION, _INPUT, _ATTRIBUTES, _ARGUMENT = 1, 2, 3, 5, 2
_KEY, _VALUE, _LIST, _FUNCTION, _LIST_FUNCTION = 1, 2, 1, 10, 9
_CONCRETE = 2

_READS_FILE = frozenset(("InitializeTableFromTextFileV2",))
_PLACES = ("assets/", "variables/")
_FILES = ("saved_model.pb", "fingerprint.pb")


@dataclass(kw_only=True)
class _Function:
    name: str
    arguments: set[str] = field(default_factory=set[str])
    operations: set[str] = field(default_factory=set[str])
    calls: set[str] = field(default_factory=set[str])
    files: set[str] = field(default_factory=set[str])  # where a table's file name comes from


def scan_saved_model(folder: Path) -> None:
    """Refuse a SavedModel that could do more than compute.

    Looked at are all graphs and all functions, called or not. What TensorFlow adds for saving
    checkpoints is let through where nothing calls it.

    Args:
        folder: Folder with `saved_model.pb`.

    Raises:
        BadInputError: An operation is not on the allow-list (it is named, with its function), an asset lies
            outside the folder, a table names its file itself, a file is of no kind that a SavedModel has,
            or `saved_model.pb` cannot be read.
    """
    _check_files(folder)
    file = folder / "saved_model.pb"
    try:
        content = memoryview(file.read_bytes())
        graphs = list(messages(content, _META_GRAPHS))
        if not graphs:
            raise WireError("it holds no graph")
        for graph in graphs:
            _check_graph(graph, file)
    except (OSError, WireError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        fix = "train the model again"
        raise BadInputError(f"not a SavedModel: {reason}", where=file, fix=fix) from error


def _check_files(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BadInputError("a link in a model", where=path, fix="put the file itself there")
        if path.is_file() and name not in _FILES and not name.startswith(_PLACES):
            fix = f"a model has {', '.join(_FILES)} and files in {' and '.join(_PLACES)}"
            raise BadInputError("a file that no SavedModel has", where=path, fix=fix)


def _check_graph(meta_graph: memoryview, file: Path) -> None:
    for asset in messages(meta_graph, _ASSETS):
        _check_asset(text(asset, _ASSET_NAME), file)
    concrete = {
        text(entry, _KEY)
        for objects in messages(meta_graph, _OBJECTS)
        for entry in messages(objects, _CONCRETE)
    }
    if not any(True for _ in messages(meta_graph, _OBJECTS)):
        raise BadInputError("a SavedModel of TensorFlow 1", where=file, fix="export it with TensorFlow 2")
    functions: list[_Function] = []
    for graph in messages(meta_graph, _GRAPH):
        top = _read_nodes(messages(graph, _NODES), _Function(name="the graph"))
        _check_operations(top, set(), file)
        for library in messages(graph, _LIBRARY):
            functions += [_read_function(each) for each in messages(library, _FUNCTIONS)]
    names = {function.name for function in functions}
    reachable = concrete.union(*(function.calls for function in functions))
    for function in functions:
        saving = SAVING if function.name not in reachable else frozenset[str]()
        _check_operations(function, names | saving, file)


def _check_asset(name: str, file: Path) -> None:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise BadInputError("an asset outside the model", where=file, value=name)


def _check_operations(function: _Function, more: set[str], file: Path) -> None:
    where = f"{file}, {function.name}"
    for operation in sorted(function.operations - ALLOWED - more):
        fix = "a model may only compute: leave this operation out"
        raise BadInputError(f"operation `{operation}` is not allowed", where=where, fix=fix)
    for source in sorted(function.files - function.arguments):
        what = "a table must be filled from an asset of the model"
        raise BadInputError(what, where=where, value=source, fix="export it with its vocabulary as asset")


def _read_function(message: memoryview) -> _Function:
    function = _Function(name="")
    for signature in messages(message, _SIGNATURE):  # were there several, the last name would count
        function.name = text(signature, _NAME) or function.name
        function.arguments.update(text(argument, _NAME) for argument in messages(signature, _ARGUMENT))
    return _read_nodes(messages(message, _BODY), function)


def _read_nodes(nodes: Iterator[memoryview], function: _Function) -> _Function:
    for node in nodes:
        inputs: list[memoryview] = []
        attributes: list[memoryview] = []
        operation = ""
        for number, content in fields(node):
            if not isinstance(content, memoryview):
                continue  # TensorFlow skips a field of another type, too
            if number == _OPERATION:
                operation = bytes(content).decode(errors="replace")
            elif number == _ATTRIBUTES:
                attributes.append(content)
            elif number == _INPUT:
                inputs.append(content)
        function.operations.add(operation)
        if operation in CALLS:
            for attribute in attributes:
                function.calls.update(_called(attribute))
        elif operation in _READS_FILE:
            function.files.update(bytes(source).decode(errors="replace") for source in inputs[1:2])
        elif operation not in ALLOWED:
            function.calls.add(operation)  # a function may be called by its name, too
    return function


def _called(attribute: memoryview) -> Iterator[str]:
    for value in messages(attribute, _VALUE):
        for called in messages(value, _FUNCTION):
            yield text(called, _NAME)
        for many in messages(value, _LIST):
            for called in messages(many, _LIST_FUNCTION):
                yield text(called, _NAME)

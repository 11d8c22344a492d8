"""Locating what a user's `preprocessing_fn` could not take: line, column and row, but not the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from components.common.artifacts import Kind
from components.common.encoding import DATATYPES, encode_column
from components.common.errors import BadInputError
from components.transform.library import graph_context, impl_helper, tf, tf2_utils
from components.transform.preprocess import PreprocessingFn, input_types

Probe = Callable[[dict[str, Any]], object]  # runs what failed on raw arrays by name

_NODE = re.compile(r"\{\{node ([^}\s]+)\}\}")


def explain_fault(
    error: BaseException,
    preprocessing_fn: PreprocessingFn,
    inputs: Mapping[str, Kind],
    batches: Iterator[Any],
    *,
    module: Path,
    split: str,
    probe: Probe | None = None,
) -> BadInputError | None:
    """Say where a user's function failed on data.

    Args:
        error: What TensorFlow raised, maybe wrapped by Beam; it names an operation.
        preprocessing_fn: The user's function.
        inputs: Columns that it takes.
        batches: Arrow record batches of the split, from its first row on.
        module: The user's file.
        split: The split that was worked on.
        probe: Runs the whole graph; None runs the operation alone, without what needs analysis.

    Returns:
        The error to raise, or None when TensorFlow named no operation: the fault is not the user's.
    """
    if not (found := _NODE.findall(str(error))):
        return None
    graph = _trace(preprocessing_fn, inputs)
    operation = _find(graph, found[-1])
    where = [_line(operation, module)]
    sources: dict[str, Any] = tf2_utils.get_structured_inputs_from_func_graph(graph)
    if columns := _columns(operation, sources):
        where.append(f"column {', '.join(f'`{name}`' for name in columns)}")
    row = _find_row(probe or _operation_probe(graph, operation, sources), inputs, batches)
    where.append(f"split `{split}`" + ("" if row is None else f", row {row} (counted from 0)"))
    what = f"`preprocessing_fn` fails on a value, in operation {found[-1].rpartition('/')[2]}"
    return BadInputError(
        what, where=", ".join(where),
        fix="the value is not shown; make the function take it, or mend the data",
    )  # fmt: skip


def _trace(preprocessing_fn: PreprocessingFn, inputs: Mapping[str, Kind]) -> Any:
    context = graph_context.TFGraphContext(module_to_export=tf.Module(), temp_dir=None)
    function = impl_helper.get_traced_transform_fn(preprocessing_fn, input_types(inputs), context)
    return function.get_concrete_function().graph


def _find(graph: Any, name: str) -> Any:
    """Return an operation, or the loop or branch that it is in, or None."""
    while name:
        try:
            return graph.get_operation_by_name(name)
        except KeyError:
            name = name.rpartition("/")[0]
    return None


def _line(operation: Any, module: Path) -> str:
    frames = [] if operation is None else operation.traceback
    lines = [frame.lineno for frame in frames if frame.filename == str(module)]
    return f"{module.name}:{lines[-1]}" if lines else module.name


def _columns(operation: Any, sources: Mapping[str, Any]) -> list[str]:
    """Return the columns that an operation depends on, in order."""
    seen: set[str] = set()
    waiting = [] if operation is None else [operation]
    while waiting:
        one = waiting.pop()
        if one.name not in seen:
            seen.add(one.name)
            waiting += [tensor.op for tensor in one.inputs]
    return [name for name, tensor in sources.items() if tensor.op.name in seen]


def _operation_probe(graph: Any, operation: Any, sources: Mapping[str, Any]) -> Probe:
    copy = tf.Graph()  # in which what a function holds back, such as assertions, can be fetched
    with copy.as_default():
        tf.import_graph_def(graph.as_graph_def(), name="")
    session = tf.compat.v1.Session(graph=copy)

    def probe(arrays: dict[str, Any]) -> object:
        feeds = {sources[name].name: values for name, values in arrays.items()}
        return session.run(operation.name, feeds) if operation is not None else None

    return probe


def _find_row(probe: Probe, inputs: Mapping[str, Kind], batches: Iterator[Any]) -> int | None:
    first = 0
    for batch in batches:
        arrays = {
            name: encode_column(batch.column(name), DATATYPES[kind], name=name)
            for name, kind in inputs.items()
        }
        if _fails(probe, arrays):
            row = _bisect(probe, arrays, batch.num_rows)
            return None if row is None else first + row
        first += batch.num_rows
    return None


def _bisect(probe: Probe, arrays: dict[str, Any], rows: int) -> int | None:
    """Return the first row that fails alone; None when only several together do."""
    start, end = 0, rows
    while end - start > 1:
        middle = (start + end) // 2
        lower = {name: values[start:middle] for name, values in arrays.items()}
        start, end = (start, middle) if _fails(probe, lower) else (middle, end)
    alone = {name: values[start:end] for name, values in arrays.items()}
    return start if _fails(probe, alone) else None


def _fails(probe: Probe, arrays: dict[str, Any]) -> bool:
    try:
        probe(arrays)
    except tf.errors.OpError:
        return True
    return False

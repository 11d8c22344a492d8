"""The outputs of a run as its record and its callers see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from components.common.documents import read_json
from components.common.errors import ComponentError
from pipelines.local.content import Artifact
from pipelines.local.exchange import Outputs
from pipelines.local.plan import Graph, Group, Loop, Task

Given = Mapping[tuple[str, tuple[int, ...]], Outputs]  # by label and iteration


def present_outputs(graph: Graph, given: Given) -> dict[str, dict[str, Any]]:
    """Return the outputs of all tasks that succeeded.

    Args:
        graph: The pipeline's graph.
        given: What tasks gave.

    Returns:
        By label and port: a value, or `{uri, digest, metadata, type}` of an artifact. For tasks inside a
        loop a list with an entry per iteration, None where it did not succeed.
    """
    found: dict[str, dict[str, Any]] = {}
    for task, depth in _tasks(graph, 0):
        ends = {iteration: outputs for (label, iteration), outputs in given.items() if label == task.label}
        if ends:
            ports = [*task.outputs.parameters, *task.outputs.artifacts]
            found[task.label] = {port: _nested(port, ends, (), depth) for port in ports}
    return found


def present_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a graph gave: values, `{uri, digest, metadata, type}` of artifacts, lists of them."""
    return {name: _present(value) for name, value in values.items()}


def find_endpoint(given: Iterable[Outputs]) -> Mapping[str, Any] | None:
    """Return the content of the last `endpoint.json` in an output artifact, or None."""
    for outputs in reversed(list(given)):
        for artifact in outputs.artifacts.values():
            file = Path(artifact.uri) / "endpoint.json"
            if file.is_file():
                try:
                    return read_json(file)
                except ComponentError:  # whoever reads the artifact says what is wrong with it
                    continue
    return None


def _tasks(graph: Graph, depth: int) -> Iterable[tuple[Task, int]]:
    for task in graph.tasks.values():
        if isinstance(task.work, (Group, Loop)):
            yield from _tasks(task.work.body, depth + isinstance(task.work, Loop))
        else:
            yield task, depth


def _nested(port: str, ends: Mapping[tuple[int, ...], Outputs], at: tuple[int, ...], depth: int) -> Any:
    if len(at) == depth:
        return _present(ends[at].of(port)) if at in ends else None
    inside = [iteration[len(at)] for iteration in ends if iteration[: len(at)] == at]
    return [_nested(port, ends, (*at, index), depth) for index in range(max(inside, default=-1) + 1)]


def _present(value: Any) -> Any:
    if isinstance(value, list):
        return [_present(inside) for inside in cast("list[Any]", value)]
    if not isinstance(value, Artifact):
        return value
    return {
        "uri": value.uri, "digest": value.digest, "metadata": dict(value.metadata), "type": value.title,
    }  # fmt: skip

"""Checks that every value that a task takes is given by somebody.

KFP's compiler writes some broken graphs without a word (a dangling input, a list that nobody makes).
"""

from __future__ import annotations

from components.common.errors import BadInputError
from pipelines.local.plan import ArtifactSpec, FromInput, FromTask, Graph, Loop, ParameterSpec, Ports, Task


def check_wiring(graph: Graph, inputs: Ports, *, where: str) -> None:
    """Check one graph and those inside it.

    Args:
        graph: The tasks.
        inputs: What the graph takes.
        where: Prefix for errors; empty for the pipeline itself.

    Raises:
        BadInputError: An input is connected to nothing, to what does not exist, or not connected
            although it is required.
    """
    for task in graph.tasks.values():
        place = f"{where}task `{task.name}`"
        _check_inputs(task, graph, inputs, place)
        if isinstance(task.work, Loop):
            _check_loop(task, task.work, place)
    for name, source in graph.outputs.items():
        _require_output(source, graph, f"{where or 'pipeline'} output `{name}`")


def _check_inputs(task: Task, graph: Graph, inputs: Ports, place: str) -> None:
    specs: dict[str, ParameterSpec | ArtifactSpec] = {**task.inputs.parameters, **task.inputs.artifacts}
    connected = {**task.parameters, **task.artifacts}
    for name, source in connected.items():
        here = f"{place}, input `{name}`"
        if name not in specs:
            raise BadInputError("the component has no such input", where=here, fix="compile it again")
        if isinstance(source, FromTask):
            _require_output(source, graph, here)
        elif isinstance(source, FromInput) and source.name not in {**inputs.parameters, **inputs.artifacts}:
            raise BadInputError(f"nothing gives `{source.name}`", where=here, fix="compile it again")
    for name, spec in specs.items():
        given = isinstance(spec, ParameterSpec) and spec.default is not None
        if name not in connected and not spec.optional and not given and not isinstance(task.work, Loop):
            raise BadInputError("required input is not connected", where=f"{place}, input `{name}`")


def _check_loop(task: Task, loop: Loop, place: str) -> None:
    if isinstance(loop.items, FromInput) and loop.items.name not in task.parameters:
        raise BadInputError(f"nothing gives the items `{loop.items.name}`", where=place)
    check_wiring(loop.body, task.inputs, where=f"{place}, ")


def _require_output(source: FromTask, graph: Graph, place: str) -> None:
    producer = graph.tasks.get(source.task)
    if producer is None:
        raise BadInputError(f"no task `{source.task}` gives it", where=place, fix="compile it again")
    if source.port not in {**producer.outputs.parameters, **producer.outputs.artifacts}:
        raise BadInputError(f"task `{source.task}` has no output `{source.port}`", where=place)

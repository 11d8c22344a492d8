"""Checks that every value that a task takes is given by somebody.

KFP's compiler writes some broken graphs without a word (a dangling input, a list that nobody makes).
"""

from __future__ import annotations

import json

from pipelines.local.conditions import Condition
from pipelines.local.expressions import parameters_named
from pipelines.local.placeholders import inputs_named, names_workspace
from pipelines.local.plan import (
    ArtifactSpec,
    Constant,
    Container,
    FinalStatus,
    FromInput,
    FromTask,
    Graph,
    Group,
    Importer,
    Loop,
    ParameterSpec,
    Part,
    Ports,
    Source,
    Task,
    Template,
)
from pipelines.local.refusal import Problems
from pipelines.local.walks import leaf_tasks

# KFP hands these to a task whose settings are given by parameters, though its component takes none.
_SETTINGS = (
    "accelerator_count", "accelerator_type", "base_image", "cpu_limit", "cpu_request",
    "memory_limit", "memory_request",
)  # fmt: skip


def check_wiring(graph: Graph, inputs: Ports, problems: Problems, *, where: str) -> None:
    """Check one graph and those inside it.

    Args:
        graph: The tasks.
        inputs: What the graph takes.
        problems: Takes inputs that are connected to nothing, to what does not exist, or not connected
            although they are required.
        where: Prefix for places; empty for the pipeline itself.
    """
    for task in graph.tasks.values():
        place = f"{where}task `{task.name}`"
        _check_inputs(task, graph, inputs, place, problems)
        if isinstance(task.condition, Condition):
            for name in sorted(parameters_named(task.condition.expression) - set(task.parameters)):
                problems.broken("wiring", f"nothing gives `{name}`", f"{place}, condition")
        if isinstance(task.work, Loop):
            items = task.work.items
            if isinstance(items, FromInput) and items.name not in task.parameters:
                problems.broken("wiring", f"nothing gives the items `{items.name}`", place)
        if isinstance(task.work, (Group, Loop)):
            check_wiring(task.work.body, task.inputs, problems, where=f"{where}inside `{task.name}`, ")
    for name, sources in graph.outputs.items():
        for source in sources:
            _require_output(source, graph, f"{where or 'pipeline '}output `{name}`", problems)


def check_workspace(graph: Graph, problems: Problems) -> None:
    """Find tasks that use the workspace of a pipeline that has none: there is no path to give them."""
    for task in leaf_tasks(graph):
        texts = [json.dumps(one.value) for one in task.parameters.values() if isinstance(one, Template)]
        texts += task.work.command if isinstance(task.work, Container) else ()
        copied = isinstance(task.work, Importer) and task.work.to_workspace
        if copied or any(names_workspace(text) for text in texts):
            fix = "give it `dsl.PipelineConfig(workspace=…)`"
            problems.broken("workspace", "the pipeline has no workspace", f"task `{task.label}`", fix=fix)


def _check_inputs(task: Task, graph: Graph, inputs: Ports, place: str, problems: Problems) -> None:
    specs: dict[str, ParameterSpec | ArtifactSpec] = {**task.inputs.parameters, **task.inputs.artifacts}
    connected: dict[str, Source] = {**task.parameters, **task.artifacts}
    shown = {name for source in connected.values() for name in _shown(source)}
    for name, source in connected.items():
        here = f"{place}, input `{name}`"
        if name not in specs and name not in shown and name not in _SETTINGS:
            problems.broken("wiring", "the component has no such input", here)
        _check_source(source, graph, inputs, here, problems)
    for name in sorted(shown - set(connected)):
        problems.broken("wiring", f"nothing gives `{name}`, which a text shows", place)
    whole = not isinstance(task.work, (Group, Loop))  # KFP calls all inputs of a graph required
    for name, spec in specs.items():
        given = spec.optional or (isinstance(spec, ParameterSpec) and spec.default is not None)
        if whole and name not in connected and not given:
            problems.broken("wiring", "required input is not connected", f"{place}, input `{name}`")
    uri = task.work.uri if isinstance(task.work, Importer) else None
    if isinstance(uri, FromInput) and uri.name not in connected:
        problems.broken("wiring", f"nothing gives `{uri.name}`", place)


def _shown(source: Source) -> set[str]:
    return inputs_named(json.dumps(source.value)) if isinstance(source, Template) else set()


def _check_source(source: Source, graph: Graph, inputs: Ports, here: str, problems: Problems) -> None:
    if isinstance(source, Part):
        _check_source(source.source, graph, inputs, here, problems)
    elif isinstance(source, FromTask):
        _require_output(source, graph, here, problems)
    elif isinstance(source, FinalStatus):
        if source.task not in graph.tasks:
            problems.broken("wiring", f"no task `{source.task}` gives it", here)
    elif isinstance(source, (Constant, Template)):
        return
    elif source.name not in {**inputs.parameters, **inputs.artifacts}:
        problems.broken("wiring", f"nothing gives `{source.name}`", here)


def _require_output(source: FromTask, graph: Graph, place: str, problems: Problems) -> None:
    producer = graph.tasks.get(source.task)
    if producer is None:
        problems.broken("wiring", f"no task `{source.task}` gives it", place)
    elif source.port not in {**producer.outputs.parameters, **producer.outputs.artifacts}:
        problems.broken("wiring", f"task `{source.task}` has no output `{source.port}`", place)

"""What changed for each task from one run to another: its parameters, inputs, code or environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.local.cache import rooms_named
from pipelines.local.history import Run
from pipelines.local.lineage_reader import LineageReader, is_output, label_of
from pipelines.local.plan import Container
from pipelines.local.reading import read_package
from pipelines.local.walks import container_tasks


class Difference(NamedTuple):
    """Something that two runs may differ in; None where a run has no such thing."""

    name: str
    first: Any
    second: Any


class TaskChange(NamedTuple):
    """A task of two runs.

    Attributes:
        name: Its label.
        first: Its state in the first run, or None.
        second: Its state in the second run, or None.
        changed: What differs for it, such as `input examples` or `code of transform`; empty when it was
            asked for the same.
    """

    name: str
    first: str | None
    second: str | None
    changed: list[str]


def pair(both: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Lay two mappings side by side, in the order in which their keys come."""
    names = dict.fromkeys([*both[0], *both[1]])
    return [Difference(name, both[0].get(name), both[1].get(name)) for name in names]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a task was asked for: all that its result depends on, as far as it was recorded."""

    fingerprint: str
    container: Container | None
    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Sequence[str]]
    code: Mapping[str, str]
    environment: str | None


def _traces(reader: LineageReader, run: Run) -> dict[str, Trace]:
    context = reader.run(run.run_id)
    executions = [] if context is None else reader.executions(context)
    tasks = {task.label: found for task, found in container_tasks(_graph(run))}
    traces: dict[str, Trace] = {}
    for execution in executions:
        label, properties = label_of(execution), execution.custom_properties
        if "cache_fingerprint" not in properties:
            continue
        container = tasks.get(label) or tasks.get(label.rpartition("-")[0])
        traces[label] = Trace(
            fingerprint=properties["cache_fingerprint"].string_value, container=container,
            parameters=_struct(properties["inputs"].struct_value),
            artifacts=_digests(reader, execution.id),
            code={room: run.record.get("code", {}).get(room) for room in rooms_named(container)}
            if container else {},
            environment=run.record.get("environments", {}).get(properties["image"].string_value),
        )  # fmt: skip
    return traces


def _graph(run: Run) -> Any:
    return read_package(run.folder / "package.yaml").graph


def _struct(value: Any) -> dict[str, Any]:
    from google.protobuf import json_format

    return json_format.MessageToDict(value)


def _digests(reader: LineageReader, execution: int) -> dict[str, list[str]]:
    events = [event for event in reader.events("execution", [execution]) if not is_output(event)]
    records = {record.id: record for record in reader.artifacts([event.artifact_id for event in events])}
    found: dict[str, list[str]] = {}
    for event in events:
        digest = records[event.artifact_id].custom_properties["digest"].string_value
        found.setdefault(event.path.steps[0].key, []).append(digest)
    return found


def task_changes(reader: LineageReader, first: Run, second: Run) -> list[TaskChange]:
    """Tell for each task of two runs what it was asked for differently."""
    traces = _traces(reader, first), _traces(reader, second)
    states = [{name: task["state"] for name, task in run.tasks.items()} for run in (first, second)]
    found: list[TaskChange] = []
    for name, was, became in pair(states):
        before, after = traces[0].get(name), traces[1].get(name)
        changed = reasons(before, after) if before and after else []
        found.append(TaskChange(name, was, became, changed))
    return found


def reasons(before: Trace, after: Trace) -> list[str]:
    """Tell what makes two askings of a task different; nothing when their cache keys are equal."""
    if before.fingerprint == after.fingerprint:
        return []
    found = [
        *_unequal("parameter", before.parameters, after.parameters),
        *_unequal("input", before.artifacts, after.artifacts),
        *_unequal("code of", before.code, after.code),
    ]
    if before.container != after.container:
        found.append("component")
    if before.environment != after.environment:
        found.append("environment")
    return found or ["metadata of its inputs"]


def _unequal(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [f"{kind} {name}" for name, first, second in pair([before, after]) if first != second]

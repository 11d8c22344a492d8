"""Two runs on Kubeflow side by side: parameters, versions, tasks, and with ML Metadata data and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.local.changes import TaskChange, Trace, pair, reasons
from pipelines.local.compare import Comparison, leaves
from pipelines.local.lineage_reader import LineageReader, is_output, label_of
from pipelines.local.walks import container_tasks
from pipelines.remote.api import Kubeflow
from pipelines.remote.runs import RemoteRun, find_run


def compare_remote(kubeflow: Kubeflow, first: str, second: str, reader: LineageReader | None) -> Comparison:
    """Lay two runs side by side.

    Args:
        kubeflow: Where they are.
        first: Id of a run.
        second: Id of another.
        reader: ML Metadata; without it data, metrics and inputs of tasks are unknown.

    Raises:
        BadInputError: There is no such run.
        UnavailableError: Kubeflow or ML Metadata does not answer.
    """
    runs = find_run(kubeflow, first), find_run(kubeflow, second)
    records = [_Records(run, reader) for run in runs]
    parameters = [dict(leaves(_parameters(run), "")) for run in runs]
    return Comparison(
        runs=(_head(runs[0]), _head(runs[1])),
        parameters=[found for found in pair(parameters) if found.first != found.second],
        data=pair([dict(one.data()) for one in records]),
        metrics=pair([dict(one.metrics()) for one in records]),
        tasks=_changes(*records),
    )


def _head(run: RemoteRun) -> dict[str, Any]:
    return {"run_id": run.run_id, "pipeline": run.pipeline, "state": run.state, "seconds": run.seconds}


def _parameters(run: RemoteRun) -> dict[str, Any]:
    plan = run.package.plan
    defaults = {name: spec.default for name, spec in plan.inputs.items()} if plan is not None else {}
    return {"version": run.version, **defaults, **run.parameters}


class _Records:
    """What was recorded of a run."""

    def __init__(self, run: RemoteRun, reader: LineageReader | None) -> None:
        self.run, self._reader = run, reader
        context = None if reader is None else reader.run(run.run_id)
        self._executions = [] if reader is None or context is None else reader.executions(context)

    def data(self) -> Iterator[tuple[str, Any]]:
        """Yield version and rows of each snapshot, by the task that made it."""
        for task, artifact in self._made():
            properties = artifact.custom_properties
            if properties["display_name"].string_value == "snapshot" and "version" in properties:
                rows = int(properties["rows"].double_value or properties["rows"].int_value)
                yield task, {"version": properties["version"].string_value, "rows": {"all": rows}}

    def metrics(self) -> Iterator[tuple[str, Any]]:
        """Yield the numbers that tasks outside of loops logged as metrics."""
        for task, artifact in self._made():
            if artifact.type == "system.Metrics":
                for name, value in sorted(artifact.custom_properties.items()):
                    if value.HasField("double_value"):
                        yield f"{task}: {name}", {"value": value.double_value, "low": None, "high": None}

    def states(self) -> dict[str, str]:
        """Return the state of each task that was reached."""
        return {node.place.label: node.state for node in self.run.nodes}

    def traces(self) -> dict[str, Trace]:
        """Return what each task was asked for, as far as it is known."""
        plan = self.run.package.plan
        tasks = {task.label: found for task, found in container_tasks(plan.graph)} if plan else {}
        found: dict[str, Trace] = {}
        for node in self.run.nodes:
            execution = self._execution(node.place.label)
            properties = {} if execution is None else execution.custom_properties
            key = properties["cache_fingerprint"].string_value if "cache_fingerprint" in properties else ""
            found[node.place.label] = Trace(
                fingerprint=key, container=tasks.get(node.place.task.label),
                parameters=_inputs(execution), artifacts=self._taken(execution), code={}, environment=None,
            )  # fmt: skip
        return found

    def _execution(self, label: str) -> Any:
        return next((one for one in self._executions if label_of(one) == label), None)

    def _taken(self, execution: Any) -> dict[str, list[str]]:
        if self._reader is None or execution is None:
            return {}
        events = [one for one in self._reader.events("execution", [execution.id]) if not is_output(one)]
        uris = {one.id: one.uri for one in self._reader.artifacts([event.artifact_id for event in events])}
        found: dict[str, list[str]] = {}
        for event in events:
            found.setdefault(event.path.steps[0].key, []).append(uris[event.artifact_id])
        return found

    def _made(self) -> Iterator[tuple[str, Any]]:
        if self._reader is None:
            return
        for execution in self._executions:
            if "iteration_index" in execution.custom_properties:
                continue
            events = [one for one in self._reader.events("execution", [execution.id]) if is_output(one)]
            for artifact in self._reader.artifacts([event.artifact_id for event in events]):
                yield label_of(execution), artifact


def _inputs(execution: Any) -> Mapping[str, Any]:
    from google.protobuf import json_format

    if execution is None:
        return {}
    return json_format.MessageToDict(execution.custom_properties["inputs"].struct_value)


def _changes(first: _Records, second: _Records) -> list[TaskChange]:
    traces = first.traces(), second.traces()
    found: list[TaskChange] = []
    for name, was, became in pair([first.states(), second.states()]):
        before, after = traces[0].get(name), traces[1].get(name)
        changed = _reasons(before, after) if before and after else []
        found.append(TaskChange(name, was, became, changed))
    return found


def _reasons(before: Trace, after: Trace) -> list[str]:
    """Tell what makes two askings different; without ML Metadata only the component is known."""
    if not before.fingerprint or not after.fingerprint:
        return ["component"] if before.container != after.container else []
    return reasons(before, after)

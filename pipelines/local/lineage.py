"""Records runs in ML Metadata in the shape that KFP gives them.

The shape is that of KFP 2.17 (`backend/src/v2/metadata/client.go`), plus the artifacts' content digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pipelines.local.content import Artifact
from pipelines.local.exchange import Inputs, Outputs
from pipelines.local.plan import Graph, Group, Loop, Task
from pipelines.local.store import Store, protos

State = Literal["COMPLETE", "FAILED", "CANCELED"]

NAMESPACE = "local"
_SESSION = json.dumps({"Provider": "file", "Params": {"fromEnv": "true"}})


class Lineage:
    """One run's record; all calls come from one thread. Executions are known by their ids."""

    def __init__(self, store: Store) -> None:
        """Write into a store."""
        self._store = store
        self._types: dict[tuple[str, str], int] = {}
        self._contexts: list[Any] = []
        self._open: dict[int, Any] = {}

    def begin_run(self, pipeline: str, run_id: str, directory: Path, parameters: Mapping[str, Any]) -> int:
        """Record the run and its root graph; returns the id of the graph's execution."""
        pb = protos()
        properties = {
            "namespace": NAMESPACE, "resource_name": run_id, "pipeline_root": str(directory),
            "store_session_info": _SESSION,
        }  # fmt: skip
        with self._store.alone():
            parent = self._context("system.Pipeline", pipeline, {})
            run = self._context("system.PipelineRun", run_id, properties)
            link = pb.ParentContext(child_id=run.id, parent_id=parent.id)
            self._store.call("put_parent_contexts", [link])
        self._contexts = [parent, run]
        names = {"display_name": "", "task_name": ""}
        inputs = Inputs(parameters=parameters, artifacts={})
        return self._begin("system.DAGExecution", names, None, inputs, name=f"run/{run_id}")

    def begin_graph(self, task: Task, parent: int, inputs: Inputs, counts: Mapping[str, int]) -> int:
        """Record a graph inside another.

        Args:
            task: Its task.
            parent: Execution of the graph around it; of its loop, for an iteration.
            inputs: What it takes.
            counts: `iteration_count` of a loop, `iteration_index` of an iteration; else empty.
        """
        if not isinstance(task.work, (Group, Loop)):
            raise TypeError("the task is no graph")
        properties = {**_names(task), **_producers(task, task.work.body)}
        counts = {"total_dag_tasks": len(task.work.body.tasks), **counts}
        return self._begin("system.DAGExecution", properties, parent, inputs, counts)

    def skip(self, task: Task, parent: int, inputs: Inputs) -> None:
        """Record a task whose condition did not hold."""
        if isinstance(task.work, (Group, Loop)):
            execution = self.begin_graph(task, parent, inputs, {})
        else:
            execution = self.begin_task(task, parent, inputs, image="", fingerprint="", index=None)
        self.end(execution, "CANCELED")

    def begin_importer(self, task: Task, parent: int, inputs: Inputs) -> int:
        """Record that an importer starts."""
        properties = {**_names(task), "namespace": NAMESPACE, "pod_name": "", "pod_uid": ""}
        return self._begin("system.ImporterExecution", properties, parent, inputs)

    def end_import(self, execution: int, outputs: Outputs, reimport: bool) -> dict[str, int]:
        """Record what was imported.

        Args:
            execution: Its id.
            outputs: The artifact.
            reimport: Record the artifact anew even when one of equal uri, type and properties is known.

        Returns:
            Ids of the artifacts by port.
        """
        record = self._open.pop(execution)
        record.last_known_state = protos().Execution.COMPLETE
        with self._store.alone():
            new = {port: self._artifact(found) for port, found in outputs.artifacts.items()}
            return self._put(record, new if reimport else {p: self._equal(one) for p, one in new.items()})

    def begin_task(
        self, task: Task, parent: int, inputs: Inputs, *, image: str, fingerprint: str, index: int | None
    ) -> int:
        """Record that a task starts; `index` is its innermost loop's iteration."""
        properties: dict[str, Any] = {
            **_names(task), "pod_name": "", "pod_uid": "", "namespace": NAMESPACE, "image": image,
            "cache_fingerprint": fingerprint,
        }  # fmt: skip
        counts = {} if index is None else {"iteration_index": index}
        return self._begin("system.ContainerExecution", properties, parent, inputs, counts)

    def end(self, execution: int, state: State, outputs: Outputs | None = None) -> dict[str, int]:
        """Record how an execution ended.

        Args:
            execution: Its id.
            state: Its last state.
            outputs: What it gave; None when it failed, so that nothing of it is taken for good.

        Returns:
            Ids of the new artifacts by port.
        """
        pb = protos()
        record = self._open.pop(execution)
        record.last_known_state = pb.Execution.State.Value(state)
        if outputs is not None:
            _set_struct(record, "outputs", outputs.parameters)
        artifacts = outputs.artifacts if outputs else {}
        with self._store.alone():
            return self._put(record, {port: self._artifact(found) for port, found in artifacts.items()})

    def end_cached(self, execution: int, original: int, outputs: Outputs) -> dict[str, int]:
        """Record that a task's results were taken from an earlier execution.

        Returns:
            Ids of the artifacts by port: those of the earlier execution, as long as the store has them.
        """
        pb = protos()
        record = self._open.pop(execution)
        record.last_known_state = pb.Execution.CACHED
        _set_plain(record, "cached_execution_id", str(original))
        _set_struct(record, "outputs", outputs.parameters)
        with self._store.alone():
            return self._put(record, {port: self._known(old) for port, old in outputs.artifacts.items()})

    def _begin(
        self, kind: str, properties: Mapping[str, Any], parent: int | None, inputs: Inputs,
        counts: Mapping[str, int] | None = None, *, name: str | None = None,
    ) -> int:  # fmt: skip
        pb = protos()
        with self._store.alone():
            type_id = self._type("execution", kind)
        record = pb.Execution(type_id=type_id, last_known_state=pb.Execution.RUNNING, name=name)
        for key, value in properties.items():
            _set_plain(record, key, value)
        numbers = {**(counts or {}), **({} if parent is None else {"parent_dag_id": parent})}
        for key, number in numbers.items():
            record.custom_properties[key].int_value = number
        _set_struct(record, "inputs", inputs.parameters)
        events = [
            _event(pb.Event.INPUT, port, found.id)
            for port, many in inputs.artifact_lists().items()
            for found in many
        ]
        records = {found.id: found for found in self._by_id([event.artifact_id for event in events])}
        pairs = [(records[event.artifact_id], event) for event in events]
        with self._store.alone():
            record.id = self._put_execution(record, pairs)[0]
        self._open[record.id] = record
        return record.id

    def _put(self, record: Any, artifacts: Mapping[str, Any]) -> dict[str, int]:
        pb = protos()
        pairs = [
            (found, _event(pb.Event.OUTPUT, port, found.id or None)) for port, found in artifacts.items()
        ]
        return dict(zip(artifacts, self._put_execution(record, pairs)[1], strict=True))

    def _put_execution(self, record: Any, pairs: Sequence[Any]) -> tuple[int, list[int]]:
        execution, artifacts, _ = self._store.call(
            "put_execution", record, pairs, self._contexts, reuse_context_if_already_exist=True
        )
        return execution, list(artifacts)

    def _by_id(self, ids: Sequence[int]) -> list[Any]:
        return self._store.call("get_artifacts_by_id", sorted(set(ids))) if ids else []

    def _known(self, artifact: Artifact) -> Any:
        found = self._by_id([artifact.id]) if artifact.id is not None else []
        kind = self._type("artifact", artifact.title)
        same = [old for old in found if old.uri == artifact.uri and old.type_id == kind]
        return same[0] if same else self._artifact(artifact)

    def _equal(self, new: Any) -> Any:
        for old in self._store.call("get_artifacts_by_uri", new.uri):
            if old.type_id == new.type_id and old.custom_properties == new.custom_properties:
                return old
        return new

    def _artifact(self, artifact: Artifact) -> Any:
        pb = protos()
        record = pb.Artifact(
            type_id=self._type("artifact", artifact.title), uri=artifact.uri, state=pb.Artifact.LIVE
        )
        own = {"display_name": artifact.port, "store_session_info": _SESSION}
        for key, value in {**own, **artifact.metadata, "digest": artifact.digest}.items():
            _set_plain(record, key, value)
        return record

    def _context(self, kind: str, name: str, properties: Mapping[str, Any]) -> Any:
        pb = protos()
        type_id = self._type("context", kind)
        found = self._store.call("get_context_by_type_and_name", kind, name)
        if found is None:
            found = pb.Context(type_id=type_id, name=name)
            for key, value in properties.items():
                _set_plain(found, key, value)
            found.id = self._store.call("put_contexts", [found])[0]
        return found

    def _type(self, side: Literal["execution", "artifact", "context"], name: str) -> int:
        pb = protos()
        if (side, name) not in self._types:
            kind = {"execution": pb.ExecutionType, "artifact": pb.ArtifactType, "context": pb.ContextType}
            self._types[side, name] = self._store.call(f"put_{side}_type", kind[side](name=name))
        return self._types[side, name]


def _names(task: Task) -> dict[str, str]:
    return {"display_name": task.display_name, "task_name": task.name}


def _producers(task: Task, body: Graph) -> dict[str, Any]:
    """Return which task of a graph makes each of its outputs, as KFP writes it down."""
    artifacts: dict[str, Any] = {}
    parameters: dict[str, str] = {}
    for name, sources in body.outputs.items():
        key = "outputArtifactKey" if name in task.outputs.artifacts else "outputParameterKey"
        selectors = [{"producerSubtask": source.task, key: source.port} for source in sources]
        if name in task.outputs.artifacts:
            artifacts[name] = {"artifactSelectors": selectors}
        elif len(selectors) == 1:
            parameters[name] = json.dumps({"valueFromParameter": selectors[0]})
        else:
            parameters[name] = json.dumps({"valueFromOneof": {"parameterSelectors": selectors}})
    found: dict[str, Any] = {"artifact_producer_task": json.dumps(artifacts)} if artifacts else {}
    return {**found, "parameter_producer_task": parameters} if parameters else found


def _event(kind: int, port: str, artifact: int | None) -> Any:
    event = protos().Event(type=kind, artifact_id=artifact)
    event.path.steps.add().key = port
    return event


def _set_plain(record: Any, key: str, value: Any) -> None:
    target = record.custom_properties[key]
    if isinstance(value, bool):
        target.int_value = int(value)
    elif isinstance(value, (int, float)):
        target.double_value = float(value)
    elif isinstance(value, str):
        target.string_value = value
    elif key == "parameter_producer_task":
        _set_struct(record, key, value)
    else:
        _set_struct(record, key, {"list" if isinstance(value, list) else "struct": value})


def _set_struct(record: Any, key: str, content: Mapping[str, Any]) -> None:
    from google.protobuf import json_format

    target = record.custom_properties[key].struct_value
    target.SetInParent()  # a value that holds no kind at all ends the process, whatever Python catches
    json_format.ParseDict(dict(content), target)

"""Records runs in ML Metadata in the shape that KFP gives them.

The shape is that of KFP 2.17 (`backend/src/v2/metadata/client.go`), plus the artifacts' content digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pipelines.local.content import Artifact
from pipelines.local.earlier import Earlier
from pipelines.local.exchange import Inputs, Outputs
from pipelines.local.lineage_records import event, producers, set_plain, set_struct, task_names
from pipelines.local.plan import Group, Importer, Loop, Task
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
        self._earlier = Earlier()

    def begin_run(self, pipeline: str, run_id: str, directory: Path, parameters: Mapping[str, Any]) -> int:
        """Record the run and its root graph; returns the id of the graph's execution.

        Of a run that is gone on with, the executions that did not end well are taken up.
        """
        pb = protos()
        properties = {
            "namespace": NAMESPACE, "resource_name": run_id, "pipeline_root": str(directory),
            "store_session_info": _SESSION,
        }  # fmt: skip
        with self._store.alone():
            parent = self._context("system.Pipeline", pipeline, {})
            run = self._context("system.PipelineRun", run_id, properties)
            if not self._store.call("get_parent_contexts_by_context", run.id):
                link = pb.ParentContext(child_id=run.id, parent_id=parent.id)
                self._store.call("put_parent_contexts", [link])
            self._earlier = Earlier.read(self._store, run.id)
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
        properties = {**task_names(task), **producers(task, task.work.body)}
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
        properties = {**task_names(task), "namespace": NAMESPACE, "pod_name": "", "pod_uid": ""}
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
            **task_names(task), "pod_name": "", "pod_uid": "", "namespace": NAMESPACE, "image": image,
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
            set_struct(record, "outputs", outputs.parameters)
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
        set_plain(record, "cached_execution_id", str(original))
        set_struct(record, "outputs", outputs.parameters)
        with self._store.alone():
            return self._put(record, {port: self._known(old) for port, old in outputs.artifacts.items()})

    def ended_well(
        self, task: Task, parent: int, index: int | None, outputs: Outputs
    ) -> dict[str, int] | None:
        """Look up a task that ended well before the run was gone on with.

        Args:
            task: The task, of a container or an importer.
            parent: Execution of the graph that it is in.
            index: Its innermost loop's iteration; an importer has none.
            outputs: What it gave.

        Returns:
            Ids of the artifacts by port; None when it is not recorded that it gave them.
        """
        kind = (
            "system.ImporterExecution" if isinstance(task.work, Importer) else "system.ContainerExecution"
        )
        key = (self._type("execution", kind), parent, task.name, index)
        return self._earlier.ended_well(key, outputs.artifacts)

    def _begin(
        self, kind: str, properties: Mapping[str, Any], parent: int | None, inputs: Inputs,
        counts: Mapping[str, int] | None = None, *, name: str | None = None,
    ) -> int:  # fmt: skip
        pb = protos()
        with self._store.alone():
            type_id = self._type("execution", kind)
        record = pb.Execution(type_id=type_id, last_known_state=pb.Execution.RUNNING, name=name)
        for key, value in properties.items():
            set_plain(record, key, value)
        numbers = {**(counts or {}), **({} if parent is None else {"parent_dag_id": parent})}
        for key, number in numbers.items():
            record.custom_properties[key].int_value = number
        set_struct(record, "inputs", inputs.parameters)
        lists = inputs.artifact_lists().items()
        taken = [(port, one.id) for port, many in lists for one in many if one.id is not None]
        known = self._earlier.take_up(record, taken, is_graph=kind == "system.DAGExecution")
        if known is not None:
            record.id, taken = known, []  # their events are there
        records = {found.id: found for found in self._by_id([number for _, number in taken])}
        pairs = [(records[number], event(pb.Event.INPUT, port, number)) for port, number in taken]
        with self._store.alone():
            record.id = self._put_execution(record, pairs)[0]
        self._open[record.id] = record
        return record.id

    def _put(self, record: Any, artifacts: Mapping[str, Any]) -> dict[str, int]:
        pb = protos()
        pairs = [
            (found, event(pb.Event.OUTPUT, port, found.id or None)) for port, found in artifacts.items()
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
            set_plain(record, key, value)
        return record

    def _context(self, kind: str, name: str, properties: Mapping[str, Any]) -> Any:
        pb = protos()
        type_id = self._type("context", kind)
        found = self._store.call("get_context_by_type_and_name", kind, name)
        if found is None:
            found = pb.Context(type_id=type_id, name=name)
            for key, value in properties.items():
                set_plain(found, key, value)
            found.id = self._store.call("put_contexts", [found])[0]
        return found

    def _type(self, side: Literal["execution", "artifact", "context"], name: str) -> int:
        pb = protos()
        if (side, name) not in self._types:
            kind = {"execution": pb.ExecutionType, "artifact": pb.ArtifactType, "context": pb.ContextType}
            self._types[side, name] = self._store.call(f"put_{side}_type", kind[side](name=name))
        return self._types[side, name]

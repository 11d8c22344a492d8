"""What something was made from, and which runs there were."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.common.artifacts import SourceFile, read_snapshot
from components.common.errors import BadInputError, ComponentError
from pipelines.local.labels import iteration_label
from pipelines.local.record import read_record
from pipelines.local.store import STORE_NAME, Store, protos


@dataclass(frozen=True, kw_only=True)
class LineageNode:
    """A run, an artifact or a source file, and what it was made from.

    Attributes:
        kind: What it is.
        name: Run id, name of the output port, or name of the source.
        uri: Where it is; None for a run.
        sha256: Content digest; None for a run and for an artifact that is metadata alone.
        bytes: Size of a source file, else None.
        type: Schema title of an artifact, else None.
        run_id: The run that made an artifact.
        task: The task that made an artifact.
        repeated: It stands elsewhere in the tree, and is continued there.
        made_from: What it was made from, by the names of ports; empty at the ends.
    """

    kind: Literal["run", "artifact", "source"]
    name: str
    uri: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    type: str | None = None
    run_id: str | None = None
    task: str | None = None
    repeated: bool = False
    made_from: tuple[LineageNode, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; what is None, False or empty is left out."""
        names = ("kind", "name", "uri", "sha256", "bytes", "type", "run_id", "task", "repeated")
        found = {name: getattr(self, name) for name in names}
        said = {name: value for name, value in found.items() if value is not None and value is not False}
        inside = [node.as_dict() for node in self.made_from]
        return {**said, "made_from": inside} if inside else said


def upstream(root: Path, run_or_uri: str) -> LineageNode:
    """Tell what a run's results, or one artifact, were made from, up to the source files.

    Args:
        root: Folder of runs, cache and lineage.
        run_or_uri: A run id, or the path of an artifact or of a file in it.

    Returns:
        A run with those of its outputs that no later task of it took, or an artifact. What was taken from
        the cache is followed to the run that made it. Each artifact is continued where it stands first.

    Raises:
        BadInputError: There is no such run or artifact, or nothing was recorded under the root.
        UnavailableError: The lineage store stayed locked.
    """
    path = root.absolute() / STORE_NAME
    if not path.exists():
        raise BadInputError("no run was recorded here", where=path, fix="give the `--root` of your runs")
    query = _Query(Store(path))
    run = query.run(run_or_uri)
    if run is not None:
        return LineageNode(kind="run", name=run_or_uri, made_from=tuple(query.results(run)))
    artifact = query.artifact(run_or_uri)
    if artifact is None:
        near = difflib.get_close_matches(run_or_uri, query.run_ids(), n=1)
        fix = f"did you mean `{near[0]}`?" if near else "`millrace runs` lists the runs"
        raise BadInputError("neither a run nor an artifact", where=path, value=run_or_uri, fix=fix)
    return query.node(artifact)


def list_runs(root: Path) -> list[dict[str, Any]]:
    """List the runs under a root, newest first.

    Returns:
        Their records. One that cannot be read has `run_id`, `pipeline`, `directory`, the state `DAMAGED`
        and the reason as `error`.
    """
    folders = [folder for folder in root.absolute().glob("*/*") if (folder / "run.json").exists()]
    return [_record(folder) for folder in sorted(folders, key=lambda found: found.name, reverse=True)]


def _record(folder: Path) -> dict[str, Any]:
    try:
        return read_record(folder / "run.json")
    except ComponentError as error:
        place = {"run_id": folder.name, "pipeline": folder.parent.name, "directory": str(folder)}
        return {**place, "state": "DAMAGED", "seconds": None, "error": str(error)}


class _Query:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: set[int] = set()
        self._runs: dict[int, str] = {}

    def run(self, run_id: str) -> int | None:
        found = self._store.call("get_context_by_type_and_name", "system.PipelineRun", run_id)
        return None if found is None else found.id

    def run_ids(self) -> list[str]:
        return [found.name for found in self._store.call("get_contexts_by_type", "system.PipelineRun")]

    def results(self, run: int) -> list[LineageNode]:
        executions = self._store.call("get_executions_by_context", run)
        events = self._events("execution", [execution.id for execution in executions])
        taken = {event.artifact_id for event in events if not _is_output(event)}
        given = {event.artifact_id: None for event in events if _is_output(event)}
        return self._nodes(sorted(set(given) - taken, reverse=True))  # what came last says most

    def artifact(self, uri: str) -> Any:
        place = Path(uri.removeprefix("file://")).absolute()
        for candidate in (uri, *map(str, (place, *place.parents))):
            if found := self._store.call("get_artifacts_by_uri", candidate):
                return min(found, key=lambda record: record.id)  # later ones only point to it
        return None

    def node(self, record: Any) -> LineageNode:
        producer = self._producer(record.id)
        repeated = record.id in self._seen
        self._seen.add(record.id)
        properties = record.custom_properties
        return LineageNode(
            kind="artifact", name=properties["display_name"].string_value, uri=record.uri,
            sha256=properties["digest"].string_value or None, type=record.type or None,
            run_id=None if producer is None else self._run_of(producer.id),
            task=None if producer is None else _label(producer), repeated=repeated,
            made_from=() if repeated else (*self._inputs(record, producer), *_sources(Path(record.uri))),
        )  # fmt: skip

    def _inputs(self, record: Any, producer: Any) -> list[LineageNode]:
        """Return what an artifact's task took, and the snapshot that it gave beside the artifact."""
        if producer is None:
            return []
        events = self._events("execution", [producer.id])
        taken = dict.fromkeys(event.artifact_id for event in events if not _is_output(event))
        given = [
            event.artifact_id for event in events if _is_output(event) and event.artifact_id != record.id
        ]
        beside = self._store.call("get_artifacts_by_id", given) if given else []
        snapshots = [found.id for found in beside if _is_snapshot(Path(found.uri))]
        return self._nodes([*taken, *([] if _is_snapshot(Path(record.uri)) else snapshots)])

    def _nodes(self, ids: Sequence[int]) -> list[LineageNode]:
        records = self._store.call("get_artifacts_by_id", ids) if ids else []
        found = {record.id: record for record in records}
        return [self.node(found[number]) for number in ids if number in found]

    def _producer(self, artifact: int) -> Any:
        """Return the execution that made an artifact; those that took it from the cache come later."""
        events = [event for event in self._events("artifact", [artifact]) if _is_output(event)]
        ids = [event.execution_id for event in events]
        executions = self._store.call("get_executions_by_id", ids) if ids else []
        first = min((execution.id for execution in executions), default=None)
        return next((execution for execution in executions if execution.id == first), None)

    def _run_of(self, execution: int) -> str | None:
        if execution not in self._runs:
            contexts = self._store.call("get_contexts_by_execution", execution)
            runs = [context.name for context in contexts if context.type == "system.PipelineRun"]
            self._runs[execution] = runs[0] if runs else ""
        return self._runs[execution] or None

    def _events(self, side: Literal["execution", "artifact"], ids: Sequence[int]) -> list[Any]:
        return self._store.call(f"get_events_by_{side}_ids", ids) if ids else []


def _is_output(event: Any) -> bool:
    return event.type == protos().Event.OUTPUT


def _label(execution: Any) -> str:
    properties: Mapping[str, Any] = execution.custom_properties
    name = properties["display_name"].string_value or properties["task_name"].string_value
    iteration = (properties["iteration_index"].int_value,) if "iteration_index" in properties else ()
    return iteration_label(name, iteration)


def _is_snapshot(folder: Path) -> bool:
    return (folder / "snapshot.json").is_file()


def _sources(folder: Path) -> list[LineageNode]:
    """Return the source files of an artifact that is a snapshot."""
    if not _is_snapshot(folder):
        return []
    try:
        sources = read_snapshot(folder).sources
    except ComponentError:
        return []  # it was damaged since its task ended well; the rest of the tree still holds
    files = [(name, SourceFile(**file)) for name, many in sorted(sources.items()) for file in many]
    return [
        LineageNode(kind="source", name=name, uri=file.uri, sha256=file.sha256, bytes=file.bytes)
        for name, file in files
    ]

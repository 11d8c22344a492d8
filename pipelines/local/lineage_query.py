"""What something was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.common.artifacts import SourceFile
from components.common.errors import BadInputError
from pipelines.local.history import suggest
from pipelines.local.lineage_reader import LineageReader, is_output, label_of
from pipelines.local.lineage_root import RootReader


@dataclass(frozen=True, kw_only=True)
class LineageNode:
    """A run, an artifact or a source file, and what it was made from or led to.

    Attributes:
        kind: What it is.
        name: Run id, name of the output port, or name of the source.
        uri: Where it is; None for a run.
        sha256: Content digest; None for a run and for an artifact that is metadata alone.
        bytes: Size of a source file, else None.
        type: Schema title of an artifact, else None.
        run_id: The run that made an artifact.
        task: The task that made an artifact.
        url: The address that an endpoint answers at, else None.
        repeated: It stands elsewhere in the tree, and is continued there.
        made_from: What it was made from, by the names of ports; empty at the ends.
        led_to: What was made from it; only where that was asked for.
    """

    kind: Literal["run", "artifact", "source"]
    name: str
    uri: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    type: str | None = None
    run_id: str | None = None
    task: str | None = None
    url: str | None = None
    repeated: bool = False
    made_from: tuple[LineageNode, ...] = ()
    led_to: tuple[LineageNode, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; what is None, False or empty is left out."""
        names = ("kind", "name", "uri", "sha256", "bytes", "type", "run_id", "task", "url", "repeated")
        found = {name: getattr(self, name) for name in names}
        said = {name: value for name, value in found.items() if value is not None and value is not False}
        for name in ("made_from", "led_to"):
            if inside := [node.as_dict() for node in getattr(self, name)]:
                said[name] = inside
        return said


def upstream(root: Path, run_or_uri: str) -> LineageNode:
    """Tell what a run's results, or one artifact, were made from, up to the source files.

    Args:
        root: Folder of runs, cache and lineage.
        run_or_uri: A run id, the path of an artifact or of a file in it, or an endpoint's address.

    Returns:
        A run with those of its outputs that no later task of it took, or an artifact. What was taken from
        the cache is followed to the run that made it. Each artifact is continued where it stands first.

    Raises:
        BadInputError: There is no such run or artifact, or nothing was recorded under the root.
        UnavailableError: The lineage store stayed locked.
    """
    return trace_up(RootReader(root), run_or_uri)


def trace_up(reader: LineageReader, run_or_uri: str) -> LineageNode:
    """Do the same for any store."""
    query = _Query(reader)
    run = reader.run(run_or_uri)
    if run is not None:
        return LineageNode(kind="run", name=run_or_uri, made_from=tuple(query.results(run)))
    artifact = reader.artifact(run_or_uri)
    if artifact is None:
        fix = suggest(run_or_uri, reader.run_ids(), otherwise=reader.hint)
        raise BadInputError("neither a run nor an artifact", where=reader.place, value=run_or_uri, fix=fix)
    return query.node(artifact)


def source_node(name: str, file: SourceFile) -> LineageNode:
    """Return a source file as it was read; of one on a cluster the sha256 may be unknown."""
    return LineageNode(
        kind="source", name=name, uri=file.uri, sha256=file.sha256 or None, bytes=file.bytes
    )  # fmt: skip


class _Query:
    def __init__(self, reader: LineageReader) -> None:
        self._reader = reader
        self._seen: set[int] = set()

    def results(self, run: int) -> list[LineageNode]:
        executions = self._reader.executions(run)
        events = self._reader.events("execution", [execution.id for execution in executions])
        taken = {event.artifact_id for event in events if not is_output(event)}
        given = {event.artifact_id: None for event in events if is_output(event)}
        return self._nodes(sorted(set(given) - taken, reverse=True))  # what came last says most

    def node(self, record: Any) -> LineageNode:
        producer = self._reader.producer(record.id)
        repeated = record.id in self._seen
        self._seen.add(record.id)
        properties = record.custom_properties
        files = () if repeated else [source_node(*found) for found in self._reader.sources(record)]
        inputs = () if repeated else (*self._inputs(record, producer), *files)
        return LineageNode(
            kind="artifact", name=properties["display_name"].string_value, uri=record.uri,
            sha256=properties["digest"].string_value or None, type=record.type or None,
            run_id=None if producer is None else self._reader.run_of(producer.id),
            task=None if producer is None else label_of(producer), repeated=repeated, made_from=inputs,
        )  # fmt: skip

    def _inputs(self, record: Any, producer: Any) -> list[LineageNode]:
        """Return what an artifact's task took, and the snapshot that it gave beside the artifact."""
        if producer is None:
            return []
        events = self._reader.events("execution", [producer.id])
        taken = dict.fromkeys(event.artifact_id for event in events if not is_output(event))
        given = [
            event.artifact_id for event in events if is_output(event) and event.artifact_id != record.id
        ]
        beside = self._reader.artifacts(given)
        snapshots = [found.id for found in beside if self._reader.is_snapshot(found)]
        return self._nodes([*taken, *([] if self._reader.is_snapshot(record) else snapshots)])

    def _nodes(self, ids: Sequence[int]) -> list[LineageNode]:
        return [self.node(record) for record in self._reader.artifacts(ids)]

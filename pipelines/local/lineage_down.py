"""What came of something: the models and endpoints that a file or an artifact led to."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.lineage_query import LineageNode, source_node
from pipelines.local.lineage_reader import LineageReader, is_output, label_of
from pipelines.local.lineage_root import RootReader

_SHA256 = re.compile(r"[0-9a-f]{8,64}")


def downstream(root: Path, what: str) -> tuple[LineageNode, ...]:
    """Tell which models and endpoints came from a file or an artifact.

    Args:
        root: Folder of runs, cache and lineage.
        what: Path of an artifact or of a file in it; path or address of a source file as it was read; or
            the sha256 of either, its first eight digits at least.

    Returns:
        The artifact, or each version of the source file. Below are only models, endpoints, and what leads
        to them; each stands once, under the last made of what its task took. A model that another one was
        only compared with did not lead to it.

    Raises:
        BadInputError: Nothing was made from it, or nothing was recorded under the root.
        UnavailableError: The lineage store stayed locked.
    """
    return trace_down(RootReader(root), what)


def trace_down(reader: LineageReader, what: str) -> tuple[LineageNode, ...]:
    """Do the same for any store."""
    known = reader.all_artifacts()
    artifact = reader.artifact(what)
    found = () if artifact is not None else tuple(_versions(reader, known, what))
    artifact = artifact or (None if found else _by_digest(known, what))
    if artifact is not None:
        return (_Descent(reader, [artifact.id]).tree(artifact),)
    if not found:
        fix = "give the path of an artifact, or of a source file as it was read, or a sha256"
        raise BadInputError("nothing was made from it", where=reader.place, value=what, fix=fix)
    return found


def _by_digest(known: Iterable[Any], what: str) -> Any:
    if not _SHA256.fullmatch(what):
        return None
    digests = ((record, record.custom_properties["digest"].string_value) for record in known)
    return next((record for record, digest in digests if digest.startswith(what)), None)


def _versions(reader: LineageReader, known: Iterable[Any], what: str) -> Iterable[LineageNode]:
    """Yield a tree for each content that a source file had when it was read."""
    path, starts, sources = os.path.abspath(what), dict[str, list[int]](), dict[str, LineageNode]()
    for record in known:
        for name, file in reader.sources(record):
            if file.uri in (what, path) or (_SHA256.fullmatch(what) and file.sha256.startswith(what)):
                sources.setdefault(file.sha256, source_node(name, file))
                starts.setdefault(file.sha256, []).append(record.id)
    for sha256, source in sources.items():
        yield _Descent(reader, _beside(reader, starts[sha256])).below(source)


def _beside(reader: LineageReader, snapshots: Iterable[int]) -> list[int]:
    """Return all that the tasks gave which made some snapshots."""
    found: dict[int, None] = {}
    for snapshot in snapshots:
        producer = reader.producer(snapshot)
        events = reader.events("execution", [producer.id]) if producer is not None else []
        found.update(dict.fromkeys(event.artifact_id for event in events if is_output(event)))
    return sorted(found)


@dataclass(frozen=True)
class _Made:
    """An artifact and the execution that made it."""

    record: Any
    execution: Any


class _Descent:
    """All that was made, directly or not, from some artifacts."""

    def __init__(self, reader: LineageReader, starts: list[int]) -> None:
        self._reader = reader
        self._starts = starts
        self._made: dict[int, _Made] = {}
        self._below: dict[int, list[int]] = {}
        self._collect()

    def below(self, node: LineageNode) -> LineageNode:
        """Return a source with what it led to."""
        inside = [self._node(record) for record in self._reader.artifacts(self._starts)]
        return _with(node, [one for one in inside if one is not None])

    def tree(self, record: Any) -> LineageNode:
        """Return the one artifact of the start with what it led to, also when that is nothing."""
        return self._node(record) or self._plain(record)

    def _collect(self) -> None:
        """Walk down breadth first, then hang each artifact under the last made of what its task took."""
        reached, fresh = set(self._starts), list(self._starts)
        while fresh:
            taking = {e.execution_id for e in self._reader.events("artifact", fresh) if not is_output(e)}
            fresh = []
            for execution in self._reader.executions_by_id(sorted(taking)):
                for event in self._reader.events("execution", [execution.id]):
                    if (
                        is_output(event)
                        and event.artifact_id not in reached
                        and self._takes(event, execution)
                    ):
                        reached.add(event.artifact_id)
                        fresh.append(event.artifact_id)
        parents: dict[int, int] = {}
        for number in sorted(self._made):  # what was made first comes first
            parents[number] = self._parent(self._made[number].execution, reached, parents)
            self._below.setdefault(parents[number], []).append(number)

    def _parent(self, execution: Any, reached: set[int], parents: Mapping[int, int]) -> int:
        """Choose the input to hang something under: the last made, a model before others of its task.

        Of many that were collected nobody says which one counted: it hangs where the last of them does.
        """
        events = [
            event for event in self._reader.events("execution", [execution.id]) if not is_output(event)
        ]
        ports = Counter(event.path.steps[0].key for event in events)
        taken = [event for event in events if event.artifact_id in reached]
        single = [event.artifact_id for event in taken if ports[event.path.steps[0].key] == 1]
        if not single:
            last = max(event.artifact_id for event in taken)
            return parents.get(last, last)
        return max(single, key=self._rank)

    def _rank(self, artifact: int) -> tuple[int, bool, int]:
        made = self._made.get(artifact)
        (record,) = self._reader.artifacts([artifact])
        return (0 if made is None else made.execution.id, record.type == "system.Model", artifact)

    def _takes(self, event: Any, execution: Any) -> bool:
        """Keep what this execution made itself: not from the cache, not a pointer to something else."""
        producer = self._reader.producer(event.artifact_id)
        (record,) = self._reader.artifacts([event.artifact_id])
        first = self._reader.artifact(record.uri)
        if producer.id != execution.id or first.id != record.id or self._reader.stands_in(record):
            return False
        self._made[record.id] = _Made(record, execution)
        return True

    def _node(self, record: Any) -> LineageNode | None:
        """Return an artifact with what it led to; None when it is of no interest itself and led nowhere."""
        below = [self._made[number].record for number in sorted(self._below.get(record.id, []))]
        inside = [node for one in below if (node := self._node(one)) is not None]
        is_result = record.type == "system.Model" or self._reader.endpoint_url(record) is not None
        return _with(self._plain(record), inside) if inside or is_result else None

    def _plain(self, record: Any) -> LineageNode:
        producer = self._reader.producer(record.id)
        properties: Mapping[str, Any] = record.custom_properties
        return LineageNode(
            kind="artifact", name=properties["display_name"].string_value, uri=record.uri,
            sha256=properties["digest"].string_value or None, type=record.type or None,
            run_id=None if producer is None else self._reader.run_of(producer.id),
            task=None if producer is None else label_of(producer),
            url=self._reader.endpoint_url(record) or None,
        )  # fmt: skip


def _with(node: LineageNode, inside: list[LineageNode]) -> LineageNode:
    return replace(node, led_to=tuple(inside))

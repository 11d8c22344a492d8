"""Reads an ML Metadata store: runs, executions, artifacts and what connects them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from components.common.artifacts import SourceFile
from pipelines.local.labels import iteration_label
from pipelines.local.store import protos


class Calls(Protocol):
    """A store that can be asked."""

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of `ml_metadata`'s `MetadataStore`."""
        ...


class LineageReader:
    """Answers about what was recorded; records are ML Metadata's own messages.

    Attributes:
        place: Where the store is, for people.
        hint: What to do about a run that nobody knows.
    """

    hint = "`millrace runs` lists the runs"

    def __init__(self, store: Calls, place: Path | str) -> None:
        """Read a store."""
        self.place = place
        self._store = store
        self._runs: dict[int, str] = {}

    def run(self, run_id: str) -> int | None:
        """Return the context of a run, or None."""
        found = self._store.call("get_context_by_type_and_name", "system.PipelineRun", run_id)
        return None if found is None else found.id

    def run_ids(self) -> list[str]:
        """Return the ids of all runs."""
        return [found.name for found in self._store.call("get_contexts_by_type", "system.PipelineRun")]

    def executions(self, run: int) -> list[Any]:
        """Return the executions of a run's context."""
        return self._store.call("get_executions_by_context", run)

    def executions_by_id(self, ids: Sequence[int]) -> list[Any]:
        """Return executions."""
        return self._store.call("get_executions_by_id", list(ids)) if ids else []

    def artifact(self, uri: str) -> Any:
        """Return the artifact at a uri, or that it lies in; or None."""
        parts = uri.split("/")
        return self.first_at("/".join(parts[:end]) for end in range(len(parts), 0, -1))

    def first_at(self, uris: Iterable[str]) -> Any:
        """Return the artifact at the first of some uris where there is one, or None."""
        for uri in uris:
            if found := self._store.call("get_artifacts_by_uri", uri):
                return min(found, key=lambda record: record.id)  # later ones only point to it
        return None

    def is_snapshot(self, record: Any) -> bool:
        """Tell whether an artifact says which data was read."""
        return bool(self.sources(record))

    def sources(self, record: Any) -> list[tuple[str, SourceFile]]:
        """Return the source files of an artifact that is a snapshot, with the names of their sources."""
        raise NotImplementedError

    def endpoint_url(self, record: Any) -> str | None:
        """Return the address that an artifact says a model answers at; empty when it says none."""
        raise NotImplementedError

    def stands_in(self, record: Any) -> bool:
        """Tell whether an artifact only says that there is no baseline."""
        raise NotImplementedError

    def artifacts(self, ids: Sequence[int]) -> list[Any]:
        """Return artifacts in the order of their ids as given; unknown ones are left out."""
        records = self._store.call("get_artifacts_by_id", list(ids)) if ids else []
        found = {record.id: record for record in records}
        return [found[number] for number in ids if number in found]

    def all_artifacts(self) -> list[Any]:
        """Return all artifacts, the oldest first."""
        return sorted(self._store.call("get_artifacts"), key=lambda record: record.id)

    def events(self, side: Literal["execution", "artifact"], ids: Sequence[int]) -> list[Any]:
        """Return the events of executions, or of artifacts."""
        return self._store.call(f"get_events_by_{side}_ids", list(ids)) if ids else []

    def producer(self, artifact: int) -> Any:
        """Return the execution that made an artifact; those that took it from the cache come later."""
        ids = [event.execution_id for event in self.events("artifact", [artifact]) if is_output(event)]
        return min(self.executions_by_id(ids), key=lambda execution: execution.id, default=None)

    def run_of(self, execution: int) -> str | None:
        """Return the id of the run of an execution."""
        if execution not in self._runs:
            contexts = self._store.call("get_contexts_by_execution", execution)
            runs = [context.name for context in contexts if context.type == "system.PipelineRun"]
            self._runs[execution] = runs[0] if runs else ""
        return self._runs[execution] or None


def is_output(event: Any) -> bool:
    """Tell whether an event says that something was made."""
    return event.type == protos().Event.OUTPUT


def label_of(execution: Any) -> str:
    """Return the name of a task for people, with its iteration."""
    properties: Mapping[str, Any] = execution.custom_properties
    name = properties["display_name"].string_value or properties["task_name"].string_value
    iteration = (properties["iteration_index"].int_value,) if "iteration_index" in properties else ()
    return iteration_label(name, iteration)

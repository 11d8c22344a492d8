"""Reads the ML Metadata store of a root: runs, executions, artifacts and what connects them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from components.common.artifacts import SourceFile, read_endpoint, read_snapshot
from components.common.errors import BadInputError, ComponentError
from pipelines.local.labels import iteration_label
from pipelines.local.serving.state import StateFolder
from pipelines.local.store import STORE_NAME, Store, protos

_MODEL_ADDRESS = re.compile(r"/v[12]/models/([^/:]+)")


class LineageReader:
    """Answers about what was recorded; records are ML Metadata's own messages.

    Attributes:
        path: The store's file.
    """

    def __init__(self, root: Path) -> None:
        """Open the store of a root.

        Raises:
            BadInputError: Nothing was recorded there.
            UnavailableError: It stayed locked.
        """
        self.path = root.absolute() / STORE_NAME
        if not self.path.exists():
            fix = "give the `--root` of your runs"
            raise BadInputError("no run was recorded here", where=self.path, fix=fix)
        self._store = Store(self.path)
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
        """Return the artifact at a path, that a path lies in, or behind an endpoint's address; or None."""
        if uri.startswith(("http://", "https://")):
            return self._answering(uri)
        place = Path(uri.removeprefix("file://")).absolute()
        for candidate in (uri, *map(str, (place, *place.parents))):
            if found := self._store.call("get_artifacts_by_uri", candidate):
                return min(found, key=lambda record: record.id)  # later ones only point to it
        return None

    def _answering(self, url: str) -> Any:
        """Return the model that answers at an address, or else the last endpoint deployed there."""
        found = _MODEL_ADDRESS.search(url)
        name = found[1] if found else ""
        serving = StateFolder.of(self.path.parent).read_state().endpoints.get(name)
        if serving is not None:
            shares: dict[str, int] = serving["weights"]
            revision = max(shares, key=lambda each: shares[each], default=None)
            return None if revision is None else self.artifact(serving["revisions"][revision]["model_uri"])
        folders = ((record, Path(record.uri)) for record in reversed(self.all_artifacts()))
        endpoints = ((record, folder) for record, folder in folders if (folder / "endpoint.json").is_file())
        return next((record for record, folder in endpoints if read_endpoint(folder).name == name), None)

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


def is_snapshot(folder: Path) -> bool:
    """Tell whether an artifact says which data was read."""
    return (folder / "snapshot.json").is_file()


def source_files(folder: Path) -> list[tuple[str, SourceFile]]:
    """Return the source files of an artifact that is a snapshot, with the names of their sources."""
    if not is_snapshot(folder):
        return []
    try:
        sources = read_snapshot(folder).sources
        return [(name, SourceFile(**file)) for name, many in sorted(sources.items()) for file in many]
    except (ComponentError, TypeError):
        return []  # it was damaged since its task ended well; the rest of the tree still holds

"""What tasks gave that ended well, kept in their run's folder for when the run is gone on with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pipelines.local.cache import Cache, CachedResult
from pipelines.local.exchange import Inputs

FOLDER = "finished"


class Finished:
    """One file per task and iteration, whether its results may be cached or not.

    It is written ahead of ML Metadata: a task whose file is there has ended, and what is not recorded of it
    is recorded when the run is gone on with.
    """

    def __init__(self, run: Path) -> None:
        """Use a run's folder."""
        self._results = Cache(run / FOLDER)

    def find(self, label: str, inputs: Inputs) -> CachedResult | None:
        """Return what a task gave for the same inputs; the code that made it may have changed since."""
        return self._results.find(_name(label, inputs))

    def store(self, label: str, inputs: Inputs, result: CachedResult) -> None:
        """Keep what a task gave.

        Args:
            label: Its label.
            inputs: What it took.
            result: Its own result, or that of another task which it took from the cache.
        """
        self._results.store(result, _name(label, inputs))


def finished_labels(run: Path) -> set[str]:
    """Return the labels of the tasks that ended well."""
    return {file.name.rsplit(".", 2)[0] for file in (run / FOLDER).glob("*.json")}


def _name(label: str, inputs: Inputs) -> str:
    artifacts = {
        port: [[found.digest, found.title, dict(found.metadata)] for found in many]
        for port, many in inputs.artifact_lists().items()
    }
    text = json.dumps([dict(inputs.parameters), artifacts], sort_keys=True)
    return f"{label}.{hashlib.sha256(text.encode()).hexdigest()}"

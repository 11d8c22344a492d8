"""Two runs side by side: parameters, data, metrics, and what changed for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.artifacts import read_evaluation, read_snapshot
from components.common.errors import ComponentError
from pipelines.local.changes import Difference, TaskChange, pair, task_changes
from pipelines.local.history import Run, find_run
from pipelines.local.lineage_root import RootReader


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        runs: `run_id`, `pipeline`, `state` and `seconds` of both.
        parameters: Parameters that differ; `deploy.target` is a key inside one.
        data: Version and rows of each snapshot of data.
        metrics: `{value, low, high}`; low and high bound the 95 % interval and are None where none was
            computed.
        tasks: All tasks of both.
    """

    runs: tuple[dict[str, Any], dict[str, Any]]
    parameters: list[Difference]
    data: list[Difference]
    metrics: list[Difference]
    tasks: list[TaskChange]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; metrics have a `difference`, second less first, None where one is missing."""
        metrics = [
            {**found._asdict(), "difference": difference(found)} for found in self.metrics
        ]  # fmt: skip
        plain = {name: [one._asdict() for one in getattr(self, name)] for name in _LISTS}
        return {"runs": list(self.runs), **plain, "metrics": metrics}


_LISTS = ("parameters", "data", "tasks")


def difference(metric: Difference) -> float | None:
    """Return the second value of a metric less the first, or None when one is missing."""
    if metric.first is None or metric.second is None:
        return None
    return metric.second["value"] - metric.first["value"]


def compare_runs(root: Path, first: str, second: str) -> Comparison:
    """Lay two runs side by side.

    Args:
        root: Folder of runs and lineage.
        first: Id of a run.
        second: Id of another.

    Raises:
        BadInputError: There is no such run, or a record cannot be read.
        UnavailableError: The lineage store stayed locked.
    """
    runs = find_run(root, first), find_run(root, second)
    parameters, data, metrics = (
        [_by_name(read(run)) for run in runs] for read in (_parameters, _data, _metrics)
    )
    return Comparison(
        runs=(_head(runs[0]), _head(runs[1])),
        parameters=[found for found in pair(parameters) if found.first != found.second],
        data=pair(data),
        metrics=pair(metrics),
        tasks=task_changes(RootReader(root), *runs),
    )


def _head(run: Run) -> dict[str, Any]:
    return {key: run.record.get(key) for key in ("run_id", "pipeline", "state", "seconds")}


def _by_name(found: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return dict(found)


def _parameters(run: Run) -> Iterator[tuple[str, Any]]:
    yield from leaves(run.record.get("parameters", {}), "")


def leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the values inside mappings, each by its keys with dots between them."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _artifacts(run: Run) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield task, port and value of the artifacts outside loops."""
    for task, ports in run.record.get("outputs", {}).items():
        for port, value in ports.items():
            if isinstance(value, dict) and isinstance(value.get("uri"), str):
                yield task, port, value


def _data(run: Run) -> Iterator[tuple[str, Any]]:
    for task, _, artifact in _artifacts(run):
        try:
            snapshot = read_snapshot(Path(artifact["uri"]))
        except ComponentError:
            continue
        yield task, {"version": snapshot.version, "rows": dict(snapshot.rows)}


def _metrics(run: Run) -> Iterator[tuple[str, Any]]:
    judged: dict[str, dict[str, Any]] = {}
    for task, port, artifact in _artifacts(run):
        if port == "evaluation":
            try:
                judged[task] = dict(read_evaluation(Path(artifact["uri"])).metrics)
            except ComponentError:
                continue
            yield from judged[task].items()
    for task, _, artifact in _artifacts(run):
        if artifact.get("type") == "system.Metrics" and task not in judged:
            for name, value in artifact.get("metadata", {}).items():
                if isinstance(value, (int, float)):
                    yield f"{task}: {name}", {"value": value, "low": None, "high": None}

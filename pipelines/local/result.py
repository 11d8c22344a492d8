"""How a run ended, for its callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.events import RunState
from pipelines.local.record import RunRecord, TaskRecord


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How a run ended; the same is in its `run.json`.

    Attributes:
        run_id: Sortable name of the run.
        pipeline: Name of the pipeline.
        state: How it ended.
        seconds: Wall time.
        directory: Folder of the run, absolute.
        outputs: Value, or `{uri, digest, metadata, type}`, of each output by task and port; lists for tasks
            inside a loop.
        returned: What the pipeline itself gave, in the same form; empty when it did not succeed.
        endpoint: Content of the last `endpoint.json` that a task gave, or None.
        error: The reason when it did not succeed.
        exit_code: Status for a command line: 0; 3 refused; 130 cancelled; 2, 4 or 1 failed.
        tasks: What became of each task.
    """

    run_id: str
    pipeline: str
    state: RunState
    seconds: float
    directory: Path
    outputs: Mapping[str, Mapping[str, Any]]
    returned: Mapping[str, Any]
    endpoint: Mapping[str, Any] | None
    error: str | None
    exit_code: int
    tasks: tuple[TaskRecord, ...]

    @classmethod
    def of(cls, record: RunRecord, exit_code: int) -> RunResult:
        """Return the result of a run whose record is complete."""
        return cls(
            run_id=record.run_id, pipeline=record.pipeline, state=record.state, seconds=record.seconds,
            directory=Path(record.directory), outputs=record.outputs, returned=record.returned,
            endpoint=record.endpoint, error=record.error, exit_code=exit_code, tasks=tuple(record.tasks),
        )  # fmt: skip

"""What a run tells while it goes; whoever shows it to people takes these and prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TaskKind = Literal["queued", "started", "cached", "succeeded", "failed", "skipped", "cancelled"]
RunState = Literal["RUNNING", "SUCCEEDED", "REFUSED", "CANCELLED", "FAILED"]


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The plan was accepted and the run's folder exists.

    Attributes:
        run_id: Sortable name of the run.
        pipeline: Name of the pipeline.
        directory: Folder of the run.
        tasks: Labels of the planned tasks in the order of the flow. A task inside a loop is named once;
            its iterations report as `<label>-0`, `<label>-1`, …
    """

    run_id: str
    pipeline: str
    directory: Path
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that the package asks for and that has no meaning on one machine; said once."""

    message: str


@dataclass(frozen=True, kw_only=True)
class TaskChanged:
    """A task took its next step.

    Attributes:
        task: Its label.
        kind: The step: `queued` (what it depends on is done), `started`, then one of the others.
        seconds: Wall time; 0 for `queued`, `started` and `skipped`.
        verdict: Its boolean output, when it has one and ended well.
        message: Why it failed, was skipped, or was not taken from the cache; else None.
        exit_code: Exit status of a task that failed by itself, else None.
    """

    task: str
    kind: TaskKind
    seconds: float = 0.0
    verdict: bool | None = None
    message: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """The run ended and its record is complete.

    Attributes:
        state: How it ended.
        seconds: Wall time.
        error: The reason when it did not succeed.
    """

    state: RunState
    seconds: float
    error: str | None


Event = RunStarted | Notice | TaskChanged | RunFinished

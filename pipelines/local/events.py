"""What a run tells while it goes; whoever shows it to people takes these and prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        directory: Folder of the run, or the address of its page on Kubeflow.
        tasks: Labels of the planned tasks in the order of the flow. A task inside a loop is named once;
            its iterations report as `<label>-0`, `<label>-1`, …
    """

    run_id: str
    pipeline: str
    directory: Path | str
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that a person should know; said once."""

    message: str


@dataclass(frozen=True, kw_only=True)
class PassedOver(Notice):
    """Something that the package asks for and that has no meaning on one machine."""


@dataclass(frozen=True, kw_only=True)
class LoopStarted:
    """The items of a loop are known.

    Attributes:
        tasks: Labels of the tasks in it; iteration 3 of `train` reports as `train-3`.
        count: Iterations.
        within: Iterations of the loops around it, the outermost first; with `(2,)` those of it report
            as `train-2-0`, `train-2-1`, …
        growing: More iterations may be told of; without it, the loop has all of them.
    """

    tasks: tuple[str, ...]
    count: int
    within: tuple[int, ...] = ()
    growing: bool = False


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
        metrics: Numbers that it logged as metrics, when it ended well.
    """

    task: str
    kind: TaskKind
    seconds: float = 0.0
    verdict: bool | None = None
    message: str | None = None
    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


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


Event = RunStarted | Notice | LoopStarted | TaskChanged | RunFinished

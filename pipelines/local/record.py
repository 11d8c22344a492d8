"""What a run did: `run.json`, complete before a task is executed, and the events that tell of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.documents import read_json, write_json
from components.common.errors import BadInputError
from pipelines.local.claim import Claim
from pipelines.local.events import Event, RunState, TaskChanged, TaskKind
from pipelines.local.exchange import Outputs
from pipelines.local.launch import Usage
from pipelines.local.writer import Writer

_STATES: dict[TaskKind, str] = {
    "queued": "QUEUED", "started": "RUNNING", "cached": "SUCCEEDED", "succeeded": "SUCCEEDED",
    "failed": "FAILED", "skipped": "SKIPPED", "cancelled": "CANCELLED",
}  # fmt: skip


@dataclass(kw_only=True)
class TaskRecord:
    """One task of a run.

    Attributes:
        name: Its label.
        state: QUEUED, RUNNING, SUCCEEDED, FAILED, SKIPPED or CANCELLED.
        seconds: Wall time.
        cpu_seconds: Processor time of its processes, 0 when it was not executed.
        peak_memory_bytes: Size of its largest process, 0 when it was not executed.
        cache_hit: Its results are those of an earlier task.
        attempts: How often it was executed.
        verdict: Its boolean output, or None.
        message: Why it failed or was not executed, or None.
        began_seconds: When it was started last or taken from the cache, in seconds since the run began;
            None when it never was.
    """

    name: str
    state: str = "QUEUED"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cache_hit: bool = False
    attempts: int = 0
    verdict: bool | None = None
    message: str | None = None
    began_seconds: float | None = None


@dataclass(kw_only=True)
class RunRecord:
    """One run: the content of its `run.json`.

    Attributes:
        run_id: Sortable name of the run.
        pipeline: Name of the pipeline.
        state: How it ended, or RUNNING.
        seconds: Wall time.
        directory: Its folder, absolute.
        outputs: Outputs by task and port, once it has ended.
        returned: What the pipeline itself gave.
        endpoint: Content of the last `endpoint.json` that a task gave, or None.
        error: Why it did not succeed, or None.
        parameters: What it was given, with defaults.
        package_digest: sha256 of its package.
        code: Digest of the code of each room that its tasks import.
        environments: Digest of the environment behind each image.
        created: When it was made, in UTC as RFC 3339 has it.
        tasks: Its tasks in the order in which they were reached.
    """

    run_id: str
    pipeline: str
    state: RunState
    seconds: float
    directory: str
    outputs: dict[str, Any]
    endpoint: Mapping[str, Any] | None
    error: str | None
    parameters: Mapping[str, Any]
    package_digest: str
    code: Mapping[str, str] = field(default_factory=dict[str, str])
    environments: Mapping[str, str] = field(default_factory=dict[str, str])
    returned: Mapping[str, Any] = field(default_factory=dict[str, Any])
    created: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    tasks: list[TaskRecord] = field(default_factory=list[TaskRecord])

    def as_json(self) -> dict[str, Any]:
        """Return JSON values; `error` is there only when there is one."""
        content = {**vars(self), "tasks": [dict(vars(task)) for task in self.tasks]}
        if self.error is None:
            del content["error"]
        return content


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The first task that failed."""

    task: str
    message: str
    exit_code: int


class Progress:
    """Takes every step of a run, writes it down, then tells of it.

    Attributes:
        record: The run so far.
        failure: The first task that failed, or None.
    """

    def __init__(self, record: RunRecord, on_event: Callable[[Event], None], claim: Claim) -> None:
        """Write the record, for the first time or of a run that is gone on with; its folder exists.

        Later steps are written in a thread of their own, several at once when they come fast.
        """
        self.record = record
        self.failure: Failure | None = None
        self.emit = on_event
        self._started = time.monotonic() - record.seconds
        self._tasks = {task.name: task for task in record.tasks}
        self._claim = claim
        self._lock = threading.Lock()
        self._writer = Writer(self._write, "record")
        self._written = self._writer.request()
        self._written.result()

    def attempts(self, task: str) -> int:
        """Tell how often a task was executed so far."""
        return self._tasks[task].attempts if task in self._tasks else 0

    def kept(self, task: str, outputs: Outputs) -> None:
        """Tell of a task that had ended well before the run was gone on with; its record stays."""
        found = self._task(task)
        if found.state != "SUCCEEDED":  # its process was ended before it recorded this
            found.state, found.verdict, found.message = "SUCCEEDED", outputs.verdict, None
        self.emit(
            TaskChanged(
                task=task, kind="cached", verdict=outputs.verdict, message="had finished before",
                metrics=outputs.metrics,
            )
        )  # fmt: skip

    def step(
        self, task: str, kind: TaskKind, *, seconds: float = 0.0, verdict: bool | None = None,
        message: str | None = None, exit_code: int | None = None, usage: Usage | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        """Record one step of a task; see `TaskChanged` for the arguments, `usage` is of its processes."""
        if kind == "failed" and self.failure is None:
            self.failure = Failure(task=task, message=message or "", exit_code=exit_code or 1)
        found = self._task(task)
        with self._lock:
            found.state, found.cache_hit = _STATES[kind], kind == "cached"
            found.seconds, found.verdict, found.message = round(seconds, 3), verdict, message
            found.attempts += kind == "started"
            if kind in ("started", "cached"):
                found.began_seconds = round(time.monotonic() - self._started, 3)
            if usage is not None:
                found.cpu_seconds = round(usage.cpu_seconds, 3)
                found.peak_memory_bytes = usage.peak_memory_bytes
        if kind != "queued":
            self._written = self._writer.request()
        self.emit(
            TaskChanged(
                task=task, kind=kind, seconds=seconds, verdict=verdict, message=message,
                exit_code=exit_code, metrics=metrics or {},
            )
        )  # fmt: skip

    def finish(self, state: RunState, error: str | None) -> None:
        """Record how the run ended; steps that were under way are marked as cancelled."""
        for task in self.record.tasks:
            if task.state in ("QUEUED", "RUNNING"):
                task.state = "CANCELLED"
        self.record.state, self.record.error = state, error
        try:
            self._writer.request().result()
        finally:
            self._writer.close()
            self._claim.release()

    async def saved(self) -> None:
        """Wait until all steps so far are in `run.json`."""
        await asyncio.shield(asyncio.wrap_future(self._written))

    def _write(self) -> None:
        with self._lock:
            self.record.seconds = round(time.monotonic() - self._started, 3)
            content = self.record.as_json()
        write_json(Path(self.record.directory) / "run.json", content)

    def _task(self, name: str) -> TaskRecord:
        if name not in self._tasks:
            self._tasks[name] = TaskRecord(name=name)
            self.record.tasks.append(self._tasks[name])
        return self._tasks[name]


def read_record(file: Path) -> dict[str, Any]:
    """Read a `run.json`.

    Raises:
        BadInputError: It is missing, no JSON object, or lacks what every record has.
    """
    content = dict(read_json(file))
    for key in ("run_id", "pipeline", "state"):
        if not isinstance(content.get(key), str):
            raise BadInputError(f"record has no `{key}`", where=file)
    return content


def load_record(file: Path) -> RunRecord:
    """Read a `run.json` whole, to go on with its run.

    Raises:
        BadInputError: It is missing, no JSON object, or lacks something.
    """
    content: dict[str, Any] = {"error": None, **read_record(file)}
    try:
        for key, kind in (
            ("parameters", dict),
            ("tasks", list),
            ("seconds", float),
            ("package_digest", str),
        ):
            if not isinstance(content[key], kind):
                raise TypeError(f"`{key}` is no {kind.__name__}")
        content["tasks"] = [TaskRecord(**task) for task in content["tasks"]]
        return RunRecord(**content)
    except (TypeError, KeyError) as error:
        fix = "run the `package.yaml` beside it anew"
        raise BadInputError(f"record is damaged: {error}", where=file, fix=fix) from error

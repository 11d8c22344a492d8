"""A run on Kubeflow, told by the events that a run on this machine tells of itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from components.common.errors import UnavailableError
from pipelines.local.events import (
    Event,
    LoopStarted,
    Notice,
    RunFinished,
    RunStarted,
    RunState,
    TaskChanged,
    TaskKind,
)
from pipelines.local.plan import Graph, Group, Loop
from pipelines.local.walks import labels_in_loop, leaf_tasks
from pipelines.remote.api import Kubeflow
from pipelines.remote.logs import failure_reason
from pipelines.remote.nodes import Node, has_ended
from pipelines.remote.runs import Package, RemoteRun, find_run

PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 300.0  # how long Kubeflow may be away: a port-forward breaks, a laptop sleeps
_EXIT_CODES = {"SUCCEEDED": 0, "SKIPPED": 0, "CANCELLED": 130}
_KINDS: Mapping[str, TaskKind] = {
    "PENDING": "started", "RUNNING": "started", "SUCCEEDED": "succeeded", "FAILED": "failed",
    "SKIPPED": "skipped", "CANCELED": "cancelled",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run on Kubeflow ended.

    Attributes:
        run: The run.
        state: In the words of a local run: `REFUSED` when a gate said no.
        seconds: Wall time on the cluster.
        error: The task that failed and why, or None.
        failed: That task.
        exit_code: Status for a command line, as of a local run.
    """

    run: RemoteRun
    state: RunState
    seconds: float
    error: str | None
    failed: str | None
    exit_code: int


def watch(kubeflow: Kubeflow, run_id: str, package: Package, on_event: Callable[[Event], None]) -> Ending:
    """Tell of a run until it has ended.

    Args:
        kubeflow: Where it is.
        run_id: Its id.
        package: What it executes.
        on_event: Is told each step.

    Raises:
        UnavailableError: Kubeflow did not answer for five minutes; the run goes on.
        BadInputError: It refused, for instance because a token has expired; the run goes on.
    """
    patience = _Patience(kubeflow, run_id, package, on_event)
    run = patience.read()
    planned = tuple(task.label for task in leaf_tasks(package.plan.graph)) if package.plan else ()
    page = kubeflow.host.run_page(run_id)
    on_event(RunStarted(run_id=run_id, pipeline=run.pipeline, directory=page, tasks=planned))
    seen = _Seen(kubeflow, on_event, package)
    while True:
        seen.take(run)
        if run.has_ended:
            break
        time.sleep(PAUSE_SECONDS)
        run = patience.read()
    seen.close(run, planned)
    ending = _ending(run, seen)
    on_event(RunFinished(state=ending.state, seconds=ending.seconds, error=ending.error))
    return ending


def _ending(run: RemoteRun, seen: _Seen) -> Ending:
    first = seen.failure
    error = f"{first[0]}: {first[1]}" if first else None
    code = _EXIT_CODES.get(run.state, first[2] if first else 1)
    state: RunState = "FAILED"
    if code in (0, 130):
        state, error = ("SUCCEEDED" if code == 0 else "CANCELLED"), None
    elif code == 3:
        state = "REFUSED"
    if state == "FAILED" and error is None:
        error = run.message.error.message if run.message.error else "no task says why; see the run's page"
    if state == "CANCELLED":
        error = "cancelled on Kubeflow"
    return Ending(
        run=run, state=state, seconds=run.seconds or 0.0, error=error, exit_code=code,
        failed=first[0] if first and state in ("FAILED", "REFUSED") else None,
    )  # fmt: skip


@dataclass
class _Patience:
    """Reads a run, and bears that Kubeflow is away for a while."""

    kubeflow: Kubeflow
    run_id: str
    package: Package
    on_event: Callable[[Event], None]
    heard: float = field(default_factory=time.monotonic)
    away: bool = False

    def read(self) -> RemoteRun:
        while True:
            try:
                run = find_run(self.kubeflow, self.run_id, self.package)
            except UnavailableError as error:
                if time.monotonic() - self.heard > PATIENCE_SECONDS:
                    raise
                if not self.away:
                    self.on_event(Notice(message=f"{error}; asking again"))
                self.away = True
                time.sleep(PAUSE_SECONDS)
                continue
            if self.away:
                self.on_event(Notice(message="Kubeflow answers again"))
            self.heard, self.away = time.monotonic(), False
            return run


class _Seen:
    """What was told of a run so far.

    Attributes:
        failure: Label, reason and exit code of the first task that failed, or None.
    """

    def __init__(self, kubeflow: Kubeflow, on_event: Callable[[Event], None], package: Package) -> None:
        self.failure: tuple[str, str, int] | None = None
        self._kubeflow, self._on_event = kubeflow, on_event
        self._kinds: dict[str, str] = {}
        self._loops = _loops(package.plan.graph) if package.plan else {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._closed: set[tuple[str, ...]] = set()

    def take(self, run: RemoteRun) -> None:
        """Tell what has changed."""
        self._open_loops(run)
        for node in sorted(run.nodes, key=lambda one: one.ended or float("inf")):
            self._change(run, node)
        self._close_loops(run)

    def close(self, run: RemoteRun, planned: tuple[str, ...]) -> None:
        """Tell that no loop grows any more, and which tasks were never reached."""
        for labels in self._counts.keys() - self._closed:
            self._on_event(LoopStarted(tasks=labels, count=0))
        begun = {node.place.task.label for node in run.nodes}
        looped = {label for labels in self._loops for label in labels}
        for label in planned:
            if label not in begun and label not in looped and run.state != "SUCCEEDED":
                self._on_event(TaskChanged(task=label, kind="skipped"))

    def _open_loops(self, run: RemoteRun) -> None:
        """Tell of iterations that have begun; how many come nobody says before the loop has ended."""
        for labels in self._loops:
            begun = {node.place.iteration for node in run.nodes if node.place.task.label in labels}
            fresh = len(begun) - self._counts.get(labels, 0)
            if fresh > 0:
                self._counts[labels] = len(begun)
                self._on_event(LoopStarted(tasks=labels, count=fresh, growing=True))

    def _close_loops(self, run: RemoteRun) -> None:
        for labels, name in self._loops.items():
            if labels not in self._closed and has_ended(run.details, name):
                self._closed.add(labels)
                self._on_event(LoopStarted(tasks=labels, count=0))

    def _change(self, run: RemoteRun, node: Node) -> None:
        label, before = node.place.label, self._kinds.get(node.place.label)
        otherwise: TaskKind = "skipped" if run.has_ended else "started"
        kind: TaskKind = "cached" if node.cached else _KINDS.get(node.state, otherwise)
        if node.is_driver and kind != "failed":
            return
        if before == kind:
            return
        self._kinds[label] = kind
        if before is None and kind in ("succeeded", "failed"):
            self._on_event(TaskChanged(task=label, kind="started"))
        message = None
        if kind == "failed":
            message, code = failure_reason(self._kubeflow, run, node)
            self.failure = self.failure or (label, message, code)
        self._on_event(TaskChanged(task=label, kind=kind, seconds=node.seconds, message=message))


def _loops(graph: Graph) -> dict[tuple[str, ...], str]:
    """Return the name of each loop by the labels of the tasks in it."""
    found: dict[tuple[str, ...], str] = {}
    for task in graph.tasks.values():
        if isinstance(task.work, Loop):
            found[tuple(labels_in_loop(task.work.body))] = task.name
        if isinstance(task.work, (Group, Loop)):
            found |= _loops(task.work.body)
    return {labels: name for labels, name in found.items() if labels}

"""The tasks of a run as its page shows them: in a graph, along time, and with what they used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.errors import ComponentError
from pipelines.local.plan import FinalStatus, FromTask, Graph, Group, Loop, Part, Task
from pipelines.local.reading import read_package
from pipelines.pages.layout import TONES, Drawing, Node, lay_out

_GRAVEST = ("FAILED", "REFUSED", "RUNNING", "CANCELLED", "QUEUED", "SKIPPED", "SUCCEEDED")


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One task that the run reached.

    Attributes:
        name: Its name.
        state: In words: `succeeded`, `cached`, `refused`, …
        tone: As in `Node`.
        seconds: Wall time, or None when it was not executed.
        began: Share of the run's time that was over when it began, in [0, 1], or None when not recorded.
        share: Share of the run's time that it took, in [0, 1].
        cpu_seconds: Processor time, or None.
        megabytes: Size of its largest process, or None.
        verdict: `yes`, `no` or nothing.
        message: Why it did not succeed, or None.
        log: Link to its log, or None.
    """

    name: str
    state: str
    tone: str
    seconds: float | None
    began: float | None
    share: float
    cpu_seconds: float | None
    megabytes: float | None
    verdict: str
    message: str | None
    log: str | None


def task_rows(record: Mapping[str, Any], folder: Path) -> list[TaskRow]:
    """Return the tasks of a run in the order in which they were reached."""
    whole = max(float(record.get("seconds") or 0.0), 1e-3)
    return [_row(task, _state(task, record["state"]), whole, folder) for task in record["tasks"]]


def _row(task: Mapping[str, Any], state: str, whole: float, folder: Path) -> TaskRow:
    log = f"logs/{task['name']}.log"
    cached = bool(task["cache_hit"])
    seconds = None if cached or not task["seconds"] else float(task["seconds"])
    began, share = task.get("began_seconds"), min((seconds or 0.0) / whole, 1.0)
    return TaskRow(
        name=task["name"], state="cached" if cached else state.lower(), tone=TONES.get(state, "plain"),
        seconds=seconds, began=None if began is None else min(max(began / whole, 0.0), 1.0 - share),
        share=share, cpu_seconds=task["cpu_seconds"] or None,
        megabytes=task["peak_memory_bytes"] / 1e6 if task["peak_memory_bytes"] else None,
        verdict={True: "yes", False: "no"}.get(task["verdict"], ""),
        message=task["message"] if state != "SUCCEEDED" else None,
        log=log if (folder / log).exists() else None,
    )  # fmt: skip


def _state(task: Mapping[str, Any], run_state: str) -> str:
    """Return the state of a task; a gate that said no is not a defect of the task."""
    return "REFUSED" if run_state == "REFUSED" and task["state"] == "FAILED" else str(task["state"])


def task_graph(record: Mapping[str, Any], folder: Path) -> Drawing | None:
    """Draw the graph of the run's package with the states of its tasks.

    Returns:
        None when the package is not there, or is none that can be read.
    """
    try:
        graph = read_package(folder / "package.yaml").graph
    except (ComponentError, OSError):
        return None
    labels = dict.fromkeys(_labels(graph))
    tasks: dict[str, list[Mapping[str, Any]]] = {label: [] for label in labels}
    for task in record["tasks"]:
        if (label := _label_of(task["name"], labels)) is not None:
            tasks[label].append(task)
    return lay_out([_node(*item, record["state"]) for item in tasks.items()], set(_edges(graph)))


def _node(label: str, tasks: Sequence[Mapping[str, Any]], run_state: str) -> Node:
    if not tasks:
        return Node(name=label, title=label, note="not reached")
    state = min((_state(task, run_state) for task in tasks), key=_gravity)
    seconds = sum(task["seconds"] or 0.0 for task in tasks if not task["cache_hit"])
    said = "cached" if all(task["cache_hit"] for task in tasks) else state.lower()
    title = label if tasks[0]["name"] == label else f"{label} × {len(tasks)}"
    note = f"{said} · {seconds:.1f} s" if seconds >= 0.05 and said != "cached" else said
    return Node(name=label, title=title, note=note, tone=TONES.get(state, "plain"))


def _gravity(state: str) -> int:
    return _GRAVEST.index(state) if state in _GRAVEST else 0


def _label_of(name: str, labels: Collection[str]) -> str | None:
    """Return the label of a task: its name, or what stands before the numbers of its iterations."""
    while name not in labels:
        name, dash, number = name.rpartition("-")
        if not dash or not number.isdigit():
            return None
    return name


def _labels(graph: Graph) -> Iterator[str]:
    for task in graph.tasks.values():
        if isinstance(task.work, (Group, Loop)):
            yield from _labels(task.work.body)
        else:
            yield task.label


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the pairs of labels of which the second waits for the first, through the graphs between."""
    for task in graph.tasks.values():
        for name in _waits_for(task):
            if name in graph.tasks:
                for first in _ends(graph.tasks[name], last=True):
                    for second in _ends(task, last=False):
                        yield first, second
        if isinstance(task.work, (Group, Loop)):
            yield from _edges(task.work.body)


def _waits_for(task: Task) -> set[str]:
    sources = [*task.parameters.values(), *task.artifacts.values()]
    inner = [source.source if isinstance(source, Part) else source for source in sources]
    return {source.task for source in inner if isinstance(source, (FromTask, FinalStatus))} | set(
        task.after
    )


def _ends(task: Task, *, last: bool) -> list[str]:
    """Return the labels of a task's last leaves, or of its first ones; its own when it is a leaf."""
    if not isinstance(task.work, (Group, Loop)):
        return [task.label]
    tasks: Sequence[Task] = list(task.work.body.tasks.values())
    waited = set[str]().union(*(_waits_for(one) for one in tasks)) if tasks else set[str]()
    found = (
        [one for one in tasks if one.name not in waited]
        if last
        else [one for one in tasks if not _waits_for(one)]
    )
    return [label for one in found for label in _ends(one, last=last)]

"""What the tasks of a run said."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.history import Run, suggest
from pipelines.local.reading import read_package
from pipelines.local.walks import container_tasks

_PAUSE_SECONDS = 0.1
_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED")


def read_logs(run: Run, task: str | None = None) -> Iterator[str]:
    """Give what tasks wrote, in the order in which they were reached.

    Args:
        run: The run.
        task: One task, or a task of a loop for all its iterations; None for all tasks.

    Yields:
        Pieces of text. Where there is more than one task, each begins with a line `==> task … <==`.

    Raises:
        BadInputError: The run has no such task, or it has not begun (before the first piece).
    """
    names = _select(run, task)
    if task is not None and not names:
        raise BadInputError("the task has not begun", value=task, fix="`-f` waits for it")
    return _read(run, names, headed=names != [task])


def _read(run: Run, names: list[str], *, headed: bool) -> Iterator[str]:
    for name in names:
        text = _text(_log(run, name), 0)[0]
        text = text or _instead(run.tasks[name])
        yield (_header(run.tasks[name]) if headed else "") + _closed(text)


def follow_logs(run: Run, task: str | None = None) -> Iterator[str]:
    """Give what tasks wrote and go on as they write more, until the task or the run has ended.

    The arguments and pieces are those of `read_logs`; a header stands wherever another task goes on.

    Raises:
        BadInputError: The run has no such task (before the first piece).
    """
    _select(run, task)
    return _follow(run, task)


def _follow(run: Run, task: str | None) -> Iterator[str]:
    read: dict[str, int] = {}
    last: str | None = None
    while True:
        run = run.again()  # before the logs: what is written until it has ended is in them
        names = _select(run, task)
        for name in names:
            text, read[name] = _text(_log(run, name), read.get(name, 0))
            if text:
                named = name != last and names != [task]
                yield (_header(run.tasks[name]) if named else "") + text
                last = name
        if not run.is_under_way or (task in names and run.tasks[task]["state"] in _ENDED):
            return
        time.sleep(_PAUSE_SECONDS)


def _select(run: Run, task: str | None) -> list[str]:
    """Return the tasks that have begun and are meant.

    Raises:
        BadInputError: There is no such task in the run's package.
    """
    begun = list(run.tasks)
    if task is None or task in begun:
        return begun if task is None else [task]
    iteration = re.compile(rf"{re.escape(task)}(-\d+)+")
    names = [name for name in begun if iteration.fullmatch(name)]
    planned = [one.label for one, _ in container_tasks(read_package(run.folder / "package.yaml").graph)]
    if not names and re.sub(r"(-\d+)+$", "", task) not in planned and task not in planned:
        known = [*begun, *planned]
        fix = suggest(task, known, otherwise=f"its tasks: {', '.join(dict.fromkeys(known))}")
        raise BadInputError("the run has no such task", where=f"run {run.run_id}", value=task, fix=fix)
    return names


def _log(run: Run, task: str) -> Path:
    return run.folder / "logs" / f"{task}.log"


def _text(log: Path, start: int) -> tuple[str, int]:
    if not log.exists():
        return "", start
    with log.open("rb") as stream:
        stream.seek(start)
        piece = stream.read()
    return piece.decode("utf-8", errors="replace"), start + len(piece)


def _header(task: Mapping[str, Any]) -> str:
    seconds = f", {task['seconds']:.1f} s" if task["seconds"] else ""
    cached = ", cached" if task["cache_hit"] else ""
    return f"==> {task['name']} ({task['state'].lower()}{cached}{seconds}) <==\n"


def _instead(task: Mapping[str, Any]) -> str:
    """Say why a task has no log."""
    if task["cache_hit"]:
        earlier = str(task["message"]).removeprefix("from run ")
        return f"not executed, but taken from run {earlier}: `millrace logs {earlier} {task['name']}`"
    if task["message"]:
        return f"wrote nothing: {task['message']}"
    return "" if task["state"] in ("QUEUED", "RUNNING") else "wrote nothing"


def _closed(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"

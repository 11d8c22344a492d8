"""Names of tasks for people, files and records: short, safe in paths, and unique in a package."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]  # task names from the root down to a task
Tasks = Mapping[str, Mapping[str, Any]]


def label_tasks(tasks: Tasks, components: Mapping[str, Any]) -> dict[Path, str]:
    """Give each task of a package its label.

    Args:
        tasks: The tasks of the root graph.
        components: The components of the package.

    Returns:
        The display name where it is unique, else the task's own name, else that with the loops' names
        ahead of it. No label reads like the iteration `<label>-<number>` of another that is in a loop.
    """
    walked = list(_walk(tasks, components, (), False))
    found = {path: name for path, name, _ in walked}
    repeated = {path for path, _, looped in walked if looped}
    display = Counter(safe_name(name) for name in found.values())
    own = Counter(safe_name(path[-1]) for path in found)
    labels: dict[Path, str] = {}
    for path, name in found.items():
        label = safe_name(name) if display[safe_name(name)] == 1 else safe_name(path[-1])
        if own[safe_name(path[-1])] > 1 and display[safe_name(name)] > 1:
            label = safe_name("-".join(path))
        labels[path] = label
    numbered = {stem for label in labels.values() for stem in _stems(label)}
    for path, label in labels.items():
        if path in repeated and label in numbered:
            labels[path] = safe_name("-".join(path))
    return labels


def _stems(label: str) -> Iterator[str]:
    """Yield the labels of which this one reads like an iteration: of `a-1-2` those are `a-1` and `a`."""
    while found := re.fullmatch(r"(.+)-\d+", label):
        label = found[1]
        yield label


def iteration_label(label: str, iteration: tuple[int, ...]) -> str:
    """Return the label of a task in one iteration of its loops, such as `train-trials-0`."""
    return "-".join([label, *map(str, iteration)])


def safe_name(name: str) -> str:
    """Return a name that is safe as a file name: letters, digits, `_`, `.` and `-`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")[:100] or "task"


def _walk(
    tasks: Tasks, components: Mapping[str, Any], path: Path, looped: bool
) -> Iterator[tuple[Path, str, bool]]:
    for name, task in tasks.items():
        yield (*path, name), str((task.get("taskInfo") or {}).get("name") or name), looped
        component: Mapping[str, Any] = components[task["componentRef"]["name"]]
        body = component.get("dag")
        if body:
            inside = looped or "parameterIterator" in task
            yield from _walk(body["tasks"], components, (*path, name), inside)

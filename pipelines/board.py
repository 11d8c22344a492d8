"""Where a run stands: which of its tasks wait, run or have ended, with the iterations of a loop as one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from pipelines.local.events import LoopStarted, RunStarted, TaskChanged

# What ranks trials, as the rooms measure it; the first that a task logged counts.
_LARGER_IS_BETTER = {"auc": True, "log_loss": False, "mse": False}
_ENDINGS = ("succeeded", "cached", "failed", "skipped", "cancelled")


@dataclass
class Group:
    """All iterations of one task in a loop.

    Attributes:
        label: The task.
        count: Iterations, as far as it is known.
        is_nested: Its loop is inside another, so that the count may grow.
        is_growing: More iterations may come.
        began: Time of the first start, in seconds of the caller's clock; None before it.
        seconds: From the first start to the last end.
        running: Iterations that run.
        endings: How often each ending was reached.
        best: Name and value of the best metric so far, or None.
    """

    label: str
    count: int = 0
    is_nested: bool = False
    is_growing: bool = False
    began: float | None = None
    seconds: float = 0.0
    running: set[str] = field(default_factory=set[str])
    endings: Counter[str] = field(default_factory=Counter[str])
    best: tuple[str, float] | None = None

    @property
    def ended(self) -> int:
        """Iterations that reached an end."""
        return self.endings.total()

    @property
    def is_complete(self) -> bool:
        """Nothing more can come."""
        return not (self.is_nested or self.is_growing) and self.ended >= self.count

    def text(self) -> str:
        """Return the counts, and the best value so far, in words."""
        done = self.endings["succeeded"] + self.endings["cached"]
        parts = [f"{done}/{max(self.count, self.ended + len(self.running))} done"]
        parts += [f"{self.endings[kind]} {kind}" for kind in _ENDINGS[1:] if self.endings[kind]]
        if self.best is not None:
            parts.append(f"best {self.best[0]} {self.best[1]:.4g}")
        return ", ".join(parts)


@dataclass
class Board:
    """The state that events add up to.

    Attributes:
        planned: Labels of all tasks in the order of the flow.
        running: Start of each running task that is in no loop, in seconds of the caller's clock.
        groups: Tasks in loops that were reached.
        begun: Labels that no longer wait.
    """

    planned: tuple[str, ...] = ()
    running: dict[str, float] = field(default_factory=dict[str, float])
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    begun: set[str] = field(default_factory=set[str])

    @property
    def waiting(self) -> list[str]:
        """Tasks that have not begun, in the order of the flow."""
        return [label for label in self.planned if label not in self.begun]

    def start(self, event: RunStarted) -> None:
        """Take the plan."""
        self.planned = event.tasks

    def open_loop(self, event: LoopStarted) -> list[Group]:
        """Take the number of a loop's iterations; returns its groups."""
        groups = [self._group(label) for label in event.tasks]
        for group in groups:
            group.count += event.count
            group.is_nested = group.is_nested or bool(event.within)
            group.is_growing = event.growing
        return groups

    def change(self, event: TaskChanged, now: float) -> Group | None:
        """Take a step of a task.

        Args:
            event: The step.
            now: Seconds of the caller's clock.

        Returns:
            The group that the task is in; None when it is in no loop.
        """
        group = self._group_of(event.task)
        if group is not None:
            _change_group(group, event, now)
        elif event.kind == "started":
            self.begun.add(event.task)
            self.running[event.task] = now
        elif event.kind in _ENDINGS:
            self.begun.add(event.task)
            self.running.pop(event.task, None)
        return group

    def _group_of(self, task: str) -> Group | None:
        if task in self.groups:  # a loop that could not begin is told of by the label of its task
            return self.groups[task]
        label = task
        while label not in self.planned:
            shorter = re.sub(r"-\d+$", "", label)
            if shorter == label:
                return None
            label = shorter
        return None if label == task else self._group(label)

    def _group(self, label: str) -> Group:
        self.begun.add(label)
        return self.groups.setdefault(label, Group(label=label))


def _change_group(group: Group, event: TaskChanged, now: float) -> None:
    if event.kind == "started":
        group.running.add(event.task)
        group.began = now if group.began is None else group.began
    elif event.kind in _ENDINGS:
        group.running.discard(event.task)
        group.endings[event.kind] += 1
        group.seconds = 0.0 if group.began is None else now - group.began
        name = next((name for name in _LARGER_IS_BETTER if name in event.metrics), None)
        if name is not None:
            value = event.metrics[name]
            sign = 1 if _LARGER_IS_BETTER[name] else -1
            if group.best is None or sign * value > sign * group.best[1]:
                group.best = (name, value)

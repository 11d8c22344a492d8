"""Rounds of a search that are too wide for a cluster, told before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.plan import Constant, Container, FromInput, Graph, Group, Loop, Plan, Source

MOST_TASKS = 200  # whose models fit into one argument, 128 KiB: what comes after a round is given them so
_DOOR = "propose_trials"


@dataclass(frozen=True, kw_only=True, slots=True)
class WideRound:
    """A search whose largest round has more than `MOST_TASKS` tasks.

    Attributes:
        task: Label of the task that proposes its trials.
        trials: How many trials it has, all rounds together.
        tasks: How many tasks share those of the largest round.
        trials_per_task: How many trials a task must take, at least.
    """

    task: str
    trials: int
    tasks: int
    trials_per_task: int

    @property
    def what(self) -> str:
        """What is wrong."""
        return f"a round of {self.tasks} tasks: a cluster hands on the models of {MOST_TASKS} at most"

    @property
    def fix(self) -> str:
        """What to do."""
        return f"let {self.trials_per_task} trials share a task, `trials_per_task`, or ask for fewer"


def wide_rounds(plan: Plan, values: Mapping[str, Any]) -> Iterator[WideRound]:
    """Find the searches of a package that are too wide; those whose size a task decides are left out.

    Args:
        plan: The package, ours or any that holds our `propose_trials`.
        values: Parameters of the run by name; defaults are filled in.
    """
    defaults = {name: spec.default for name, spec in plan.inputs.items()}
    for task, asked in _searches(plan.graph, {**defaults, **values}):
        trials, shared, rounds = (
            _count(asked.get(name)) for name in ("trials", "trials_per_task", "rounds")
        )
        options: Any = asked.get("options")
        halving = isinstance(options, dict) and options.get("halving")  # then the first round has them all
        largest = trials if halving else math.ceil(trials / rounds)
        if (tasks := math.ceil(largest / shared)) > MOST_TASKS:
            least = math.ceil(largest / MOST_TASKS)
            yield WideRound(task=task, trials=trials, tasks=tasks, trials_per_task=least)


def _count(value: Any) -> int:
    """Return a count; what is none is for the task to refuse."""
    return max(1, int(value)) if isinstance(value, (int, float)) else 1


def _searches(graph: Graph, given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each search of a graph is asked for; `given` are the values of the graph's inputs."""
    for task in graph.tasks.values():
        known = {name: _value(source, given) for name, source in task.parameters.items()}
        if isinstance(task.work, (Group, Loop)):
            yield from _searches(task.work.body, known)
        elif isinstance(task.work, Container) and _DOOR in task.work.command:
            defaults = {name: spec.default for name, spec in task.inputs.parameters.items()}
            yield task.label, defaults | {name: value for name, value in known.items() if value is not None}


def _value(source: Source, given: Mapping[str, Any]) -> Any:
    """Return a value that is known before the run, or None."""
    if isinstance(source, Constant):
        return source.value
    return given.get(source.name) if isinstance(source, FromInput) else None

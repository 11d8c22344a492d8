"""Which metrics rank the trials of a task, and what else is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from components.common.artifacts import Task
from components.common.config import require_known
from components.common.errors import BadInputError
from components.training.config import TrainingConfig

# On the eval split, the one that ranks by itself first; less is better, except of those below.
_METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("auc", "log_loss", "accuracy"),
    "multiclass": ("log_loss", "accuracy"),
    "regression": ("mse", "rmse", "mae", "r2"),
}
_MAXIMISED = ("auc", "accuracy", "r2")

# What a model costs to serve; measured only when asked for.
COSTS = ("weights", "latency_ms")


class Objective(NamedTuple):
    """A metric and whether more of it is better."""

    metric: str
    maximise: bool

    @property
    def direction(self) -> Literal["maximise", "minimise"]:
        """In a word."""
        return "maximise" if self.maximise else "minimise"

    def loss(self, metrics: Mapping[str, float]) -> float:
        """Return the metric, turned so that less is better."""
        return -metrics[self.metric] if self.maximise else metrics[self.metric]


OBJECTIVES: dict[Task, Objective] = {
    task: Objective(names[0], names[0] in _MAXIMISED) for task, names in _METRICS.items()
}


class Rule(NamedTuple):
    """How the best trial is found.

    Attributes:
        objectives: One, or two: the second is asked among trials that are nearly best by the first.
        tolerance: Share of the best first objective that may be given up for the second.
        constraints: By metric `{min}`, `{max}` or both; ends are allowed.
    """

    objectives: tuple[Objective, ...]
    tolerance: float = 0.0
    constraints: Mapping[str, Mapping[str, float]] = {}

    @property
    def needed(self) -> list[str]:
        """Metrics that each trial must report."""
        return list(dict.fromkeys([*(one.metric for one in self.objectives), *self.constraints]))


def check_metrics(config: TrainingConfig, task: Task | None = None) -> None:
    """Refuse objectives and constraints that name metrics which no trial has.

    Args:
        config: Names them.
        task: What is learnt; None, when it is not known yet, allows the metrics of all tasks.

    Raises:
        BadInputError: A metric is unknown, or a time alone is to rank.
    """
    names = [name for kind, listed in _METRICS.items() if task in (None, kind) for name in listed]
    known = (*dict.fromkeys(names), *COSTS)
    where = "parameter `training.objectives`"
    require_known(config.objectives, known, where=where)
    require_known(config.constraints, known, where="parameter `training.constraints`")
    if config.objectives[:1] == ["latency_ms"]:
        fix = "name it second, or as a constraint"
        raise BadInputError("a time alone ranks no model", where=where, fix=fix)


def read_rule(task: Task, config: TrainingConfig) -> Rule:
    """Return what the configuration asks of trials of a task.

    Raises:
        BadInputError: It names a metric that such trials do not have.
    """
    check_metrics(config, task)
    names: list[str] = list(config.objectives) or [OBJECTIVES[task].metric]
    constraints: dict[str, Any] = {name: dict(bounds) for name, bounds in config.constraints.items()}
    objectives = tuple(Objective(name, name in _MAXIMISED) for name in names)
    return Rule(objectives, config.tolerance, constraints)

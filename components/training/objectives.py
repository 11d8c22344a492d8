"""Which metric ranks the trials of a task."""

from __future__ import annotations

from typing import NamedTuple

from components.common.artifacts import Task


class Objective(NamedTuple):
    """The metric that ranks trials and whether more of it is better."""

    metric: str
    maximise: bool

    @property
    def direction(self) -> str:
        """`maximise` or `minimise`."""
        return "maximise" if self.maximise else "minimise"


OBJECTIVES: dict[Task, Objective] = {
    "binary": Objective("auc", True),
    "multiclass": Objective("log_loss", False),
    "regression": Objective("mse", False),
}

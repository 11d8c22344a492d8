"""What one model answered, how good that is, and how others answered the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.evaluation.estimate import Estimate
from components.evaluation.measure_classes import log_losses
from components.evaluation.measure_decisions import Decision


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How another answered the same rows.

    Attributes:
        who: Who that is, in words.
        estimates: Its metrics; empty when it could not answer.
        differences: The judged model minus the other, by metric, with paired 95 % intervals.
        obstacle: Why the two cannot be compared, or None.
        uri: Where the baseline's artifact is; None for another that is no artifact.
        digest: The baseline's model digest, likewise.
    """

    who: str
    estimates: dict[str, Estimate] = field(default_factory=dict[str, Estimate])
    differences: dict[str, Estimate] = field(default_factory=dict[str, Estimate])
    obstacle: str | None = None
    uri: str | None = None
    digest: str | None = None

    def as_mapping(self) -> dict[str, Any]:
        """Return `{who, metrics, differences}`; of a baseline `uri` and `digest` stand for `who`."""
        origin = {"uri": self.uri, "digest": self.digest} if self.digest else {"who": self.who}
        return {
            **origin,
            "metrics": {name: estimate.bounds() for name, estimate in self.estimates.items()},
            "differences": {name: estimate.bounds() for name, estimate in self.differences.items()},
            **({"obstacle": self.obstacle} if self.obstacle else {}),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the gate looks at.

    Attributes:
        task: What is predicted.
        labels: `[rows]`: class indices, or values.
        answers: `[rows]` or `[rows, classes]`.
        decision: When a binary answer counts as the second class.
        estimates: Metrics of the answers.
        baseline: Comparison with the model that serves now; None when there is none yet.
        constant: Comparison with the best constant answer; None when nothing could be measured.
        reference: Comparison with the reference model; None when none was asked for.
    """

    task: Task
    labels: NDArray[Any]
    answers: NDArray[np.float32]
    decision: Decision = field(default_factory=Decision)
    estimates: dict[str, Estimate] = field(default_factory=dict[str, Estimate])
    baseline: Comparison | None = None
    constant: Comparison | None = None
    reference: Comparison | None = None

    def losses(self) -> NDArray[np.float64] | None:
        """Return each row's log loss, or squared error; None when an answer is not finite."""
        answers = self.answers.astype(np.float64)
        if not np.isfinite(answers).all():
            return None
        if self.task == "regression":
            return np.square(answers - self.labels)
        both = answers if answers.ndim == 2 else np.column_stack([1.0 - answers, answers])
        return log_losses(self.labels, both)

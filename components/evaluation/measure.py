"""The metrics of each task, each with its 95 % interval."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.evaluation.estimate import Estimate
from components.evaluation.measure_classes import (
    estimate_accuracy,
    estimate_brier,
    estimate_log_loss,
)
from components.evaluation.measure_ranking import (
    estimate_auc,
    estimate_average_precision,
    estimate_macro_auc,
)
from components.evaluation.measure_values import measure_values

METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("auc", "log_loss", "accuracy", "average_precision", "brier"),
    "multiclass": ("log_loss", "accuracy", "auc"),
    "regression": ("mse", "rmse", "mae", "r2"),
}
PRIMARY: dict[Task, str] = {"binary": "auc", "multiclass": "log_loss", "regression": "mse"}
LARGER_IS_BETTER = frozenset({"auc", "accuracy", "average_precision", "r2"})

METHODS = {
    "auc": "DeLong, DeLong and Clarke-Pearson (1988), computed from sorted scores as in Sun and Xu (2014); "
    "of several classes the mean of one against the rest",
    "log_loss": "normal approximation of the mean loss per row",
    "accuracy": "Wilson's score interval (1927)",
    "average_precision": "logit interval of Boyd, Eng and Page (2013)",
    "brier": "normal approximation of the mean loss per row",
    "mse": "normal approximation of the mean loss per row",
    "rmse": "delta method on the mean squared error",
    "mae": "normal approximation of the mean loss per row",
    "r2": "delta method on the ratio of the two sums of squares",
}


def measure(task: Task, labels: NDArray[np.generic], answers: NDArray[np.generic]) -> dict[str, Estimate]:
    """Measure answers against labels.

    Args:
        task: What is predicted.
        labels: `[rows]`: class indices (int64) or values (float64).
        answers: `[rows]` probabilities of class 1, `[rows, classes]` probabilities, or `[rows]` values.

    Returns:
        Estimates by name, in the order of `METRICS`. What cannot be said is absent: every metric when
        an answer is not finite or there are fewer than two rows, and what needs a second class, or a
        spread of labels, where there is none.
    """
    given = answers.astype(np.float64)
    if len(given) < 2 or not np.isfinite(given).all():
        return {}
    if task == "regression":
        found = measure_values(labels.astype(np.float64), given)
    elif task == "multiclass":
        found = _measure_multiclass(labels.astype(np.int64), given)
    else:
        found = _measure_binary(labels.astype(np.int64), given)
    return {name: estimate for name in METRICS[task] if (estimate := found[name]) and _is_finite(estimate)}


def worse_by(name: str, change: float) -> float:
    """Return how much worse a change of a metric is: positive for a loss that grew or an AUC that fell."""
    return -change if name in LARGER_IS_BETTER else change


def _is_finite(estimate: Estimate) -> bool:
    return all(math.isfinite(number) for number in (estimate.value, estimate.low, estimate.high))


def _measure_binary(labels: NDArray[np.int64], answers: NDArray[np.float64]) -> dict[str, Estimate | None]:
    both = np.column_stack([1.0 - answers, answers])
    return {
        "auc": estimate_auc(labels == 1, answers),
        "log_loss": estimate_log_loss(labels, both),
        "accuracy": estimate_accuracy(labels == (answers >= 0.5)),
        "average_precision": estimate_average_precision(labels == 1, answers),
        "brier": estimate_brier(labels, answers),
    }


def _measure_multiclass(
    labels: NDArray[np.int64], answers: NDArray[np.float64]
) -> dict[str, Estimate | None]:
    return {
        "log_loss": estimate_log_loss(labels, answers),
        "accuracy": estimate_accuracy(labels == answers.argmax(axis=1)),
        "auc": estimate_macro_auc(labels, answers),
    }

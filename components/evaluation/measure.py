"""The metrics of each task, each with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.evaluation.catalogue import CLASS_METRICS, METRICS
from components.evaluation.estimate import Estimate
from components.evaluation.measure_calibration import estimate_calibration_error
from components.evaluation.measure_classes import estimate_brier, estimate_log_loss
from components.evaluation.measure_decisions import (
    Decision,
    estimate_f1,
    estimate_share,
    measure_decisions,
    measure_macro,
)
from components.evaluation.measure_ranking import (
    estimate_auc,
    estimate_average_precision,
    estimate_macro_auc,
)
from components.evaluation.measure_values import measure_values

PLAIN = Decision()


def measure(
    task: Task, labels: NDArray[np.generic], answers: NDArray[np.generic], decision: Decision = PLAIN
) -> dict[str, Estimate]:
    """Measure answers against labels.

    Args:
        task: What is predicted.
        labels: `[rows]`: class indices (int64) or values (float64).
        answers: `[rows]` probabilities of class 1, `[rows, classes]` probabilities, or `[rows]` values.
        decision: From which probability on a binary model answers yes.

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
        found = _measure_binary(labels.astype(np.int64), given, decision)
    return _keep_finite({name: found.get(name) for name in METRICS[task]})


def measure_classes(labels: NDArray[np.int64], answers: NDArray[np.generic]) -> list[dict[str, Estimate]]:
    """Measure each class against all others.

    Args:
        labels: `[rows]` class indices.
        answers: `[rows, classes]` probabilities.

    Returns:
        For each class `precision`, `recall`, `f1`, `auc` and `average_precision`; what cannot be said is
        absent, and all of it when an answer is not finite.
    """
    given = answers.astype(np.float64)
    if len(given) < 2 or not np.isfinite(given).all():
        return [{} for _ in range(given.shape[1])]
    answered = given.argmax(axis=1)
    found: list[dict[str, Estimate | None]] = []
    for index in range(given.shape[1]):
        positive, chosen = labels == index, answered == index
        estimates = (
            estimate_share(positive, chosen),
            estimate_share(chosen, positive),
            estimate_f1(positive, chosen),
            estimate_auc(positive, given[:, index]),
            estimate_average_precision(positive, given[:, index]),
        )
        found.append(dict(zip(CLASS_METRICS, estimates, strict=True)))
    return [_keep_finite(entry) for entry in found]


def _keep_finite(found: Mapping[str, Estimate | None]) -> dict[str, Estimate]:
    return {
        name: estimate
        for name, estimate in found.items()
        if estimate and all(math.isfinite(end) for end in (estimate.value, estimate.low, estimate.high))
    }


def _measure_binary(
    labels: NDArray[np.int64], answers: NDArray[np.float64], decision: Decision
) -> dict[str, Estimate | None]:
    both = np.column_stack([1.0 - answers, answers])
    return {
        "auc": estimate_auc(labels == 1, answers),
        "log_loss": estimate_log_loss(labels, both),
        "average_precision": estimate_average_precision(labels == 1, answers),
        "brier": estimate_brier(labels, answers),
        "calibration_error": estimate_calibration_error((labels == 1).astype(np.float64), answers),
        **measure_decisions(labels, answers, decision),
    }


def _measure_multiclass(
    labels: NDArray[np.int64], answers: NDArray[np.float64]
) -> dict[str, Estimate | None]:
    answered = answers.argmax(axis=1)
    right = labels == answered
    return {
        "log_loss": estimate_log_loss(labels, answers),
        "accuracy": estimate_share(right, np.ones(len(labels), np.bool_)),
        "auc": estimate_macro_auc(labels, answers),
        "brier": estimate_brier(labels, answers),
        "calibration_error": estimate_calibration_error(right.astype(np.float64), answers.max(axis=1)),
        **measure_macro(labels, answered),
    }

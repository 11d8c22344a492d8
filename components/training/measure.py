"""Measuring answers against labels: what the eval split says of a trial."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from components.common.artifacts import Task
from components.common.errors import BadInputError


def measure_answers(label: NDArray[Any], answers: NDArray[Any], task: Task) -> dict[str, float]:
    """Measure answers; scikit-learn's definitions.

    Args:
        label: `[rows]`.
        answers: Probabilities `[rows]` (binary) or `[rows, classes]`, or values `[rows]`.
        task: What was predicted.

    Returns:
        `auc`, `log_loss` and `accuracy`; without `auc` for multiclass; or `mse`, `rmse`, `mae` and `r2`.

    Raises:
        BadInputError: A binary label holds one class only: no AUC exists.
    """
    if task == "regression":
        return _errors(label.astype(np.float64), answers.astype(np.float64))
    if task == "multiclass":
        classes = np.arange(answers.shape[1])
        loss = metrics.log_loss(label, _normalised(answers), labels=classes)
        return {"log_loss": float(loss), "accuracy": float(np.mean(answers.argmax(axis=1) == label))}
    if len(np.unique(label)) < 2:
        raise BadInputError(
            "no AUC exists: all rows are of one class", where="eval split", fix="split otherwise"
        )
    return {
        "auc": float(metrics.roc_auc_score(label, answers)),
        "log_loss": float(metrics.log_loss(label, answers.astype(np.float64))),
        "accuracy": float(np.mean((answers >= 0.5) == (label >= 0.5))),
    }


def _normalised(answers: NDArray[Any]) -> NDArray[Any]:
    wide = answers.astype(np.float64)
    return wide / wide.sum(axis=1, keepdims=True)


def _errors(label: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
    error = answers - label
    mse = float(np.mean(error**2))
    spread = float(np.mean((label - label.mean()) ** 2))
    return {
        "mse": mse,
        "rmse": mse**0.5,
        "mae": float(np.mean(np.abs(error))),
        "r2": 1.0 - mse / spread if spread else 0.0,
    }

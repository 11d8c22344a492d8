"""The losses of a task, and the weights of rows in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras as untyped
import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.training.config import ClassWeight

keras: Any = untyped  # its annotations call every number a string


class Scale(NamedTuple):
    """How a regression label is standardised: `(label - mean) / deviation`; 0 and 1 otherwise."""

    mean: float
    deviation: float


class Targets(NamedTuple):
    """What is learnt of each row.

    Attributes:
        target: int64 `[rows]` (multiclass) or float32 `[rows, 1]`.
        weight: Its say in the loss, float32 `[rows]`; over the train split 1 on average.
    """

    target: NDArray[Any]
    weight: NDArray[Any]


def find_scale(label: NDArray[Any], task: Task) -> Scale:
    """Return how the labels of the train split are standardised."""
    if task != "regression":
        return Scale(0.0, 1.0)
    values = label.astype(np.float64)
    return Scale(float(values.mean()), float(values.std()) or 1.0)


def weigh_classes(label: NDArray[Any], classes: list[str], class_weight: ClassWeight) -> NDArray[Any]:
    """Return the weight of each class, float32 `[classes]`.

    Args:
        label: Class of each row of the train split.
        classes: Label values by class.
        class_weight: `balanced` (the inverse of a class's share, scikit-learn's definition), a weight by
            label value (others 1), or None.
    """
    if class_weight is None:
        return np.ones(max(len(classes), 1), np.float32)
    counts = np.bincount(label.astype(np.int64), minlength=len(classes))
    if isinstance(class_weight, Mapping):
        weights = np.array([class_weight.get(name, 1.0) for name in classes], np.float64)
    else:
        weights = 1.0 / np.maximum(counts, 1)
    return (weights * counts.sum() / (weights * counts).sum()).astype(np.float32)


def make_targets(label: NDArray[Any], task: Task, scale: Scale, weights: NDArray[Any]) -> Targets:
    """Turn labels into what is learnt."""
    weight = np.ones(len(label), np.float32) if task == "regression" else weights[label.astype(np.int64)]
    if task == "multiclass":
        return Targets(label.astype(np.int64), weight)
    standard = (label.astype(np.float64) - scale.mean) / scale.deviation
    return Targets(standard.astype(np.float32)[:, None], weight)


def loss_of(task: Task) -> Any:
    """Return a function of target and raw answer that gives the loss of each row, `[rows]`."""
    losses = keras.losses
    if task == "multiclass":
        return losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    if task == "binary":
        return losses.BinaryCrossentropy(from_logits=True, reduction="none")
    return losses.MeanSquaredError(reduction="none")

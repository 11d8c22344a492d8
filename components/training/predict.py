"""Asking a network: raw answers, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras as untyped
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.training.weigh_losses import Scale

keras: Any = untyped  # its annotations call every number a string

_BATCH_ROWS = 8_192

Predict = Callable[[dict[str, NDArray[Any]]], NDArray[Any]]


def predictor(model: Any, like: dict[str, NDArray[Any]]) -> Predict:
    """Return a function of inputs `[rows, columns]` by name that gives the model's raw answers.

    It is traced once, for inputs of the columns and types of `like`, and works in batches.
    """

    def answer(batch: dict[str, Any]) -> Any:
        return model(batch, training=False)

    shapes = {name: tf.TensorSpec([None, *matrix.shape[1:]], matrix.dtype) for name, matrix in like.items()}
    call = tf.function(answer, input_signature=[shapes])
    call.get_concrete_function()

    def predict(inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
        starts = range(0, len(next(iter(inputs.values()))), _BATCH_ROWS)
        batches = (
            {name: matrix[at : at + _BATCH_ROWS] for name, matrix in inputs.items()} for at in starts
        )
        return np.concatenate(
            [call({name: tf.constant(m) for name, m in b.items()}).numpy() for b in batches]
        )

    return predict


def interpret(raw: NDArray[Any], task: Task, scale: Scale) -> NDArray[Any]:
    """Turn raw answers into probabilities `[rows]`, probabilities `[rows, classes]` or values `[rows]`."""
    if task == "multiclass":
        return np.asarray(keras.ops.softmax(raw))
    if task == "binary":
        return np.asarray(keras.ops.sigmoid(raw))[:, 0]
    return raw[:, 0] * np.float32(scale.deviation) + np.float32(scale.mean)

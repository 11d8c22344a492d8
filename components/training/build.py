"""Building the network: one vector per index, then a multilayer perceptron."""

from __future__ import annotations

from typing import Any

import keras

from components.common.artifacts import Task
from components.training.hyperparameters import Hyperparameters
from components.training.read_arrays import Layout


def build_model(layout: Layout, task: Task, classes: int, point: Hyperparameters) -> keras.Model:
    """Build an untrained network.

    Vectors of indices start near zero, so that a value never seen in training has almost no say.

    Args:
        layout: Its inputs, `numbers` `[rows, n]` and `indices` `[rows, k]`; one without columns is
            left out.
        task: What it predicts.
        classes: Number of classes; 0 for regression.
        point: Hyperparameters.

    Returns:
        A model that gives logits `[rows, 1]` (binary), logits `[rows, classes]` (multiclass) or the
        standardised value `[rows, 1]` (regression).
    """
    inputs, parts = _inputs(layout, point)
    hidden = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for _ in range(point.layers):
        hidden = keras.layers.Dense(point.units, activation="relu", kernel_initializer="he_normal")(hidden)
        if point.dropout:
            hidden = keras.layers.Dropout(point.dropout)(hidden)
    answer = keras.layers.Dense(classes if task == "multiclass" else 1)(hidden)
    return keras.Model(inputs, answer)


def _inputs(layout: Layout, point: Hyperparameters) -> tuple[dict[str, Any], list[Any]]:
    inputs: dict[str, Any] = {}
    parts: list[Any] = []
    if layout.numbers:
        inputs["numbers"] = keras.Input((len(layout.numbers),), name="numbers")
        parts.append(inputs["numbers"])
    if layout.indices:
        inputs["indices"] = keras.Input((len(layout.indices),), name="indices", dtype="int32")
        table = keras.layers.Embedding(sum(layout.sizes), point.embedding_dimension)
        vectors = table(inputs["indices"])
        parts.append(keras.layers.Reshape((len(layout.indices) * point.embedding_dimension,))(vectors))
    return inputs, parts

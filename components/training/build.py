"""Building the network: a multilayer perceptron, a linear model, or the sum of both."""

from __future__ import annotations

from typing import Any

import keras as untyped
import numpy as np

from components.common.artifacts import Task
from components.training.encode_numbers import Bins, encode_numbers
from components.training.hyperparameters import Hyperparameters
from components.training.read_arrays import Layout

keras: Any = untyped  # its annotations call every number a string


def build_model(layout: Layout, task: Task, classes: int, point: Hyperparameters, bins: Bins | None) -> Any:
    """Build an untrained network.

    Vectors of indices start near zero, so that a value never seen in training has almost no say.

    Args:
        layout: Its inputs, `numbers` `[rows, n]` and `indices` `[rows, k]`; one without columns is
            left out.
        task: What it predicts.
        classes: Number of classes; 0 for regression.
        point: Hyperparameters.
        bins: Where numbers are cut, when they are encoded.

    Returns:
        A `keras.Model` that gives logits `[rows, 1]` (binary), logits `[rows, classes]` (multiclass) or
        the standardised value `[rows, 1]` (regression).
    """
    inputs, numbers, places = _inputs(layout, bins)
    outputs = classes if task == "multiclass" else 1
    answers: list[Any] = []
    if point.form != "mlp":
        answers.append(_linear(numbers, places, layout, outputs))
    if point.form != "linear":
        answers.append(_deep(numbers, places, layout, outputs, point))
    return keras.Model(inputs, keras.layers.Add()(answers) if len(answers) > 1 else answers[0])


def _inputs(layout: Layout, bins: Bins | None) -> tuple[dict[str, Any], list[Any], Any]:
    """Return the inputs, what stands for the numbers, and indices into one table for all columns."""
    inputs: dict[str, Any] = {}
    numbers: list[Any] = []
    places = None
    if layout.numbers:
        inputs["numbers"] = keras.Input((len(layout.numbers),), name="numbers")
        numbers.append(inputs["numbers"])
        if bins is not None and len(bins.column):
            numbers.append(encode_numbers(inputs["numbers"], bins))
    if layout.indices:
        inputs["indices"] = keras.Input((len(layout.indices),), name="indices", dtype="int32")
        offsets = np.cumsum([0, *layout.sizes[:-1]], dtype=np.int32)
        places = inputs["indices"] + offsets
    return inputs, numbers, places


def _linear(numbers: list[Any], places: Any, layout: Layout, outputs: int) -> Any:
    answers = [keras.layers.Dense(outputs, kernel_initializer="zeros")(part) for part in numbers]
    if places is not None:
        weights = keras.layers.Embedding(sum(layout.sizes), outputs, embeddings_initializer="zeros")
        answers.append(keras.ops.sum(weights(places), axis=1))
    return keras.layers.Add()(answers) if len(answers) > 1 else answers[0]


def _deep(numbers: list[Any], places: Any, layout: Layout, outputs: int, point: Hyperparameters) -> Any:
    parts = list(numbers)
    if places is not None:
        vectors = keras.layers.Embedding(sum(layout.sizes), point.embedding_dimension)(places)
        parts.append(keras.layers.Reshape((len(layout.sizes) * point.embedding_dimension,))(vectors))
    hidden = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for _ in range(point.layers):
        hidden = keras.layers.Dense(point.units, activation="relu", kernel_initializer="he_normal")(hidden)
        if point.dropout:
            hidden = keras.layers.Dropout(point.dropout)(hidden)
    return keras.layers.Dense(outputs)(hidden)

"""Building the network: a multilayer perceptron, a linear model, or the sum of both."""

from __future__ import annotations

from typing import Any

import keras as untyped
import numpy as np

from components.common.artifacts import Task
from components.training.encode_numbers import Bins, encode_numbers
from components.training.hyperparameters import Hyperparameters
from components.training.read_arrays import Layout
from components.training.share_vectors import Vectors

keras: Any = untyped  # its annotations call every number a string


class Members(keras.layers.Layer):
    """The answers of networks side by side, `[rows, members, outputs]`, as those of one model.

    While training, each network's own, one network after the other: `[members * rows, outputs]`, since
    each learns by itself. Else their mean, `[rows, outputs]`.
    """

    def call(self, answers: Any, training: bool = False) -> Any:
        """Return each network's answers while training, else their mean."""
        if training:
            return keras.ops.reshape(keras.ops.transpose(answers, (1, 0, 2)), (-1, answers.shape[2]))
        return keras.ops.mean(answers, axis=1)


def build_model(
    layout: Layout, task: Task, classes: int, point: Hyperparameters, bins: Bins | None,
    vectors: Vectors | None, members: int = 1,
) -> Any:  # fmt: skip
    """Build an untrained network.

    Vectors of indices start near zero, so that a value never seen in training has almost no say.

    Args:
        layout: Its inputs, `numbers` `[rows, n]` and `indices` `[rows, k]`; one without columns is
            left out.
        task: What it predicts.
        classes: Number of classes; 0 for regression.
        point: Hyperparameters.
        bins: Where numbers are cut, when they are encoded.
        vectors: Which vector an index has, when there are any.
        members: Networks whose answers are averaged.

    Returns:
        A `keras.Model` that gives logits `[rows, 1]` (binary), logits `[rows, classes]` (multiclass) or
        the standardised value `[rows, 1]` (regression).
    """
    inputs, numbers, places = _inputs(layout, bins, vectors)
    count = vectors.size if vectors else 0
    outputs = classes if task == "multiclass" else 1
    if point.form == "linear":
        return keras.Model(inputs, _linear(numbers, places, count, outputs))
    answer = _deep(numbers, places, count, outputs, point, members)
    if point.form == "wide_and_deep":
        wide = _linear(numbers, places, count, outputs)
        answer = keras.layers.Add()([wide[:, None] if members > 1 else wide, answer])
    return keras.Model(inputs, Members()(answer) if members > 1 else answer)


def _inputs(
    layout: Layout, bins: Bins | None, vectors: Vectors | None
) -> tuple[dict[str, Any], list[Any], Any]:
    """Return the inputs, what stands for the numbers, and places `[rows, k]` in the table of vectors."""
    inputs: dict[str, Any] = {}
    numbers: list[Any] = []
    places = None
    if layout.numbers:
        inputs["numbers"] = keras.Input((len(layout.numbers),), name="numbers")
        numbers.append(inputs["numbers"])
        if bins is not None and len(bins.column):
            numbers.append(encode_numbers(inputs["numbers"], bins))
    if vectors is not None:
        inputs["indices"] = keras.Input((len(layout.indices),), name="indices", dtype="int32")
        offsets = np.cumsum([0, *layout.sizes[:-1]], dtype=np.int32)
        places = keras.ops.take(vectors.place, inputs["indices"] + offsets)
    return inputs, numbers, places


def _linear(numbers: list[Any], places: Any, count: int, outputs: int) -> Any:
    answers = [keras.layers.Dense(outputs, kernel_initializer="zeros")(part) for part in numbers]
    if places is not None:
        weights = keras.layers.Embedding(count, outputs, embeddings_initializer="zeros")
        answers.append(keras.ops.sum(weights(places), axis=1))
    return keras.layers.Add()(answers) if len(answers) > 1 else answers[0]


def _deep(
    numbers: list[Any], places: Any, count: int, outputs: int, point: Hyperparameters, members: int
) -> Any:
    """Return `[rows, outputs]`, or `[rows, members, outputs]` of several."""
    parts = (
        [keras.ops.repeat(part[:, None], members, axis=1) for part in numbers] if members > 1 else numbers
    )
    if places is not None:
        vectors = keras.layers.Embedding(count, members * point.embedding_dimension)(places)
        parts = [*parts, _flatten(vectors, places.shape[1], members, point.embedding_dimension)]
    hidden = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for _ in range(point.layers):
        hidden = _layer(hidden, point.units, members, scale=2.0)
        hidden = keras.layers.Activation("relu")(hidden)
        if point.dropout:
            hidden = keras.layers.Dropout(point.dropout)(hidden)
    return _layer(hidden, outputs, members, scale=1.0)


def _flatten(vectors: Any, columns: int, members: int, dimension: int) -> Any:
    """Turn vectors of all members, `[rows, columns, members * dimension]`, into one row each."""
    if members == 1:
        return keras.layers.Reshape((columns * dimension,))(vectors)
    apart = keras.layers.Reshape((columns, members, dimension))(vectors)
    return keras.layers.Reshape((members, columns * dimension))(keras.layers.Permute((2, 1, 3))(apart))


def _layer(hidden: Any, units: int, members: int, *, scale: float) -> Any:
    """Return a dense layer, one for each member; its weights have the variance `scale / inputs`."""
    width = hidden.shape[-1]
    weights = keras.initializers.TruncatedNormal(stddev=(scale / width) ** 0.5)
    if members == 1:
        return keras.layers.Dense(units, kernel_initializer=weights)(hidden)
    layer = keras.layers.EinsumDense(
        "bmi,mio->bmo", (members, units), bias_axes="mo", kernel_initializer=weights
    )
    return layer(hidden)

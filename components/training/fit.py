"""Fitting the network and measuring it on the eval split."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras as untyped
import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.common.errors import BadInputError
from components.training.build import build_model
from components.training.hyperparameters import Hyperparameters
from components.training.measure import measure_answers
from components.training.read_arrays import Arrays, Layout

keras: Any = untyped  # its annotations call every number a string

_LINE_PER_PASS: Any = 2
_STEPS_PER_EXECUTION = 64
_STEPS_PER_PASS = 100  # at least; a small split is repeated within a pass until it has as many


class Scale(NamedTuple):
    """How a regression label is standardised: `(label - mean) / deviation`; 0 and 1 otherwise."""

    mean: float
    deviation: float


class Fitted(NamedTuple):
    """A trained network.

    Attributes:
        model: Gives logits or standardised values, as `build_model` says.
        scale: What its values must be scaled back with.
        metrics: On the eval split, by name.
    """

    model: Any
    scale: Scale
    metrics: dict[str, float]


def fit_model(
    train: Arrays, evaluation: Arrays, layout: Layout, *, task: Task, classes: int,
    point: Hyperparameters, seed: int,
) -> Fitted:  # fmt: skip
    """Train with early stopping on the eval loss, and keep the best weights.

    Args:
        train: The train split.
        evaluation: The eval split; decides when to stop.
        layout: Packing of both.
        task: What is learnt.
        classes: Number of classes; 0 for regression.
        point: Hyperparameters.
        seed: Of weights, batches and dropout: the same seed gives the same metrics.

    Raises:
        BadInputError: The loss became NaN or infinite.
    """
    keras.utils.set_random_seed(seed)
    scale = _scale(train.label, task)
    model = build_model(layout, task, classes, point)
    batch_size = min(point.batch_size, max(32, len(train.label) // 32))
    train = _repeated(train, _STEPS_PER_PASS * batch_size)
    optimizer = _optimizer(point, steps=-(-len(train.label) // batch_size))
    model.compile(optimizer=optimizer, loss=_loss(task), steps_per_execution=_STEPS_PER_EXECUTION)
    history = model.fit(
        train.inputs, _target(train.label, scale, task),
        validation_data=(evaluation.inputs, _target(evaluation.label, scale, task)),
        batch_size=batch_size, validation_batch_size=8192, epochs=point.epochs, shuffle=True,
        callbacks=_callbacks(point), verbose=_LINE_PER_PASS,
    )  # fmt: skip
    answers = answer_rows(model, evaluation.inputs, task, scale)
    if not (np.isfinite(answers).all() and np.isfinite(history.history["loss"]).all()):
        raise BadInputError("the loss became NaN or infinite", fix="lower the learning rate")
    return Fitted(model, scale, measure_answers(evaluation.label, answers, task))


def answer_rows(model: Any, inputs: dict[str, NDArray[Any]], task: Task, scale: Scale) -> NDArray[Any]:
    """Return probabilities `[rows]`, probabilities `[rows, classes]` or values `[rows]`."""
    raw = model.predict(inputs, batch_size=8192, verbose=0)
    if task == "multiclass":
        return np.asarray(keras.ops.softmax(raw))
    if task == "binary":
        return np.asarray(keras.ops.sigmoid(raw))[:, 0]
    return raw[:, 0] * np.float32(scale.deviation) + np.float32(scale.mean)


def _repeated(arrays: Arrays, rows: int) -> Arrays:
    times = -(-rows // len(arrays.label))
    if times <= 1:
        return arrays
    inputs = {name: np.tile(matrix, (times, 1)) for name, matrix in arrays.inputs.items()}
    return Arrays(inputs, np.tile(arrays.label, times))


def _optimizer(point: Hyperparameters, steps: int) -> Any:
    schedule = keras.optimizers.schedules.CosineDecay(point.learning_rate, steps * point.epochs)
    return keras.optimizers.AdamW(schedule, weight_decay=point.weight_decay)


def _loss(task: Task) -> Any:
    if task == "multiclass":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if task == "binary":
        return keras.losses.BinaryCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()


def _callbacks(point: Hyperparameters) -> list[Any]:
    stop = keras.callbacks.EarlyStopping("val_loss", patience=point.patience, restore_best_weights=True)
    return [stop, keras.callbacks.TerminateOnNaN()]


def _scale(label: NDArray[Any], task: Task) -> Scale:
    if task != "regression":
        return Scale(0.0, 1.0)
    values = label.astype(np.float64)
    return Scale(float(values.mean()), float(values.std()) or 1.0)


def _target(label: NDArray[Any], scale: Scale, task: Task) -> NDArray[Any]:
    if task == "multiclass":
        return label
    return ((label.astype(np.float64) - scale.mean) / scale.deviation).astype(np.float32)[:, None]

"""The optimizer and how its learning rate goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras as untyped

from components.training.hyperparameters import Hyperparameters

keras: Any = untyped  # its annotations call every number a string


def make_optimizer(
    point: Hyperparameters, *, steps: int, scale: float = 1.0
) -> tuple[Any, Callable[[int], float]]:
    """Return AdamW (Loshchilov and Hutter, 2019) on the point's schedule, and the rate of each step.

    Args:
        point: Learning rate, schedule and weight decay.
        steps: Steps of the longest training, at the end of which a falling rate is zero.
        scale: What the learning rate is multiplied by.
    """
    schedules = keras.optimizers.schedules
    rate = point.learning_rate * scale
    made: dict[str, Any] = {
        "cosine": schedules.CosineDecay(rate, steps),
        "linear": schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0),
        "constant": schedules.PiecewiseConstantDecay([steps], [rate] * 2),
    }
    schedule = made[point.schedule]
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=point.weight_decay)
    return optimizer, lambda step: float(keras.ops.convert_to_numpy(schedule(step)))

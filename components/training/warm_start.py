"""Warm start: beginning with the weights of a model that was trained before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from components.common.errors import BadInputError
from components.common.storage import content_digest

TRACKED = "trained_weights"  # attribute of the exported module; it names the variables in the file


def warm_start(model: Any, start: Path, transform_graph: Path) -> str | None:
    """Give a network the weights of an earlier model, when they mean the same.

    Args:
        model: An untrained `keras.Model`.
        start: The earlier model's folder.
        transform_graph: The transform that the network is trained on. Indices mean the same only when its
            vocabularies are those of the earlier model.

    Returns:
        Why the weights do not fit, and were left as they are; None when they were taken.

    Raises:
        BadInputError: The earlier model cannot be read.
    """
    if _vocabularies(start / "1" / "assets") != _vocabularies(transform_graph / "transform_fn" / "assets"):
        return "its vocabularies are others"
    try:
        reader: Any = tf.train.load_checkpoint(str(start / "1" / "variables" / "variables"))
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise BadInputError(f"model cannot be read: {error}", where=start) from error
    found = reader.get_variable_to_shape_map()
    names = [f"{TRACKED}/{place}/.ATTRIBUTES/VARIABLE_VALUE" for place in range(len(model.weights))]
    shapes = [found.get(name) for name in names]
    wanted = [list(weight.shape) for weight in model.weights]
    if shapes != wanted or any(name.startswith(f"{TRACKED}/{len(names)}/") for name in found):
        return "its network has another shape"
    for name, weight in zip(names, model.weights, strict=True):
        weight.assign(reader.get_tensor(name))
    return None


def _vocabularies(assets: Path) -> dict[str, str]:
    return {file.name: content_digest(file) for file in sorted(assets.glob("*"))}

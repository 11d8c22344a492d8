"""What computes the answers, behind one small interface."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from components.common.errors import BadInputError

Values = NDArray[Any]


class Engine(Protocol):
    """Computes a model's outputs from encoded columns."""

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Return one array `[rows]` or `[rows, classes]` for each output.

        Args:
            columns: One array `[rows]` for each input, as `encode_columns` makes them.
        """
        ...


class TensorFlowEngine:
    """Runs `serving_default` of a SavedModel on the CPU."""

    def __init__(self, function: Any, model: Any) -> None:
        """Keep the function, and the model that owns its variables and tables."""
        self._function = function
        self._model = model

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Compute the outputs; see `Engine.predict`."""
        return {name: value.numpy() for name, value in self._function(**columns).items()}


def load_engine(folder: Path) -> Engine:
    """Load the SavedModel `1/` of a model folder.

    Args:
        folder: A model folder whose bytes were verified.

    Raises:
        BadInputError: `1/` is no SavedModel, or it has no signature `serving_default`.
    """
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(folder / "1"))
        function = _constant_inputs(tf, model.signatures["serving_default"])
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        what = f"not a SavedModel that serves: {error}"
        raise BadInputError(what, where=folder / "1", fix="train the model again") from error
    return TensorFlowEngine(function, model)


def _constant_inputs(tf: Any, signature: Any) -> Any:
    """Wrap a signature to take NumPy arrays, which it converts by its own declared types."""
    dtypes = {name: spec.dtype for name, spec in signature.structured_input_signature[1].items()}

    def call(**columns: Values) -> dict[str, Any]:
        given = {name: tf.constant(columns[name], dtype) for name, dtype in dtypes.items()}
        return dict(signature(**given))

    return call

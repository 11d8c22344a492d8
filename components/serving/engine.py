"""What computes the answers, behind one small interface."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from components.common.encoding import Values
from components.common.saved_models import Serve, load_serving


class Engine(Protocol):
    """Computes a model's outputs from encoded columns; may be called from several threads."""

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Return one array `[rows]` or `[rows, classes]` for each output.

        Args:
            columns: One array `[rows]` for each input, as `encode_columns` makes them.
        """
        ...


class TensorFlowEngine:
    """Runs `serving_default` of a SavedModel on the CPU."""

    def __init__(self, serve: Serve) -> None:
        """Keep the function."""
        self._serve = serve

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Compute the outputs; see `Engine.predict`."""
        return self._serve(columns)


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

    with suppress(RuntimeError):  # it runs already, as in a notebook: then it stays as it is
        # To hand the small operations of a tabular model from thread to thread takes longer than they do.
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return TensorFlowEngine(load_serving(folder / "1"))

"""TensorFlow as the engine; importing this file imports it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from components.common.encoding import Values
from components.common.saved_models import import_tensorflow, load_serving

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tf = import_tensorflow()


class TensorFlowEngine:
    """Runs `serving_default` of a SavedModel on the CPU."""

    def __init__(self, folder: Path) -> None:
        """Load a SavedModel.

        Raises:
            BadInputError: It is none, or it has no signature `serving_default`.
        """
        with suppress(RuntimeError):  # it runs already, as in a notebook: then it stays as it is
            # To hand the small operations of a tabular model from thread to thread takes longer than them.
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self._serve = load_serving(folder)

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Compute the outputs; see `Engine.predict`."""
        return self._serve(columns)

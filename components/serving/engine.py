"""What computes the answers, behind one small interface."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Protocol

from components.common.encoding import Values
from components.common.errors import BadInputError, ComponentError
from components.common.twin.choose import Choice


class Engine(Protocol):
    """Computes a model's outputs from encoded columns; may be called from several threads."""

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Return one array `[rows]` or `[rows, classes]` for each output.

        Args:
            columns: One array `[rows]` for each input, as `encode_columns` makes them.
        """
        ...


def load_engine(folder: Path, choice: Choice) -> Engine:
    """Load what computes a model's answers.

    Args:
        folder: A model folder whose bytes were verified.
        choice: Which engine: `twin/` by NumPy, or the SavedModel `1/` by TensorFlow.

    Raises:
        BadInputError: The twin is malformed, whatever is wrong with it; or `1/` is no SavedModel or has no
            signature `serving_default`, or TensorFlow is not installed.
    """
    # only now: a model that is refused waits for no import, and the twin for none of TensorFlow
    if choice.engine == "twin":
        from components.serving.twin_engine import TwinEngine

        try:
            return TwinEngine(folder / "twin")
        except ComponentError:
            raise
        except Exception as error:  # over damaged bytes zip, JSON and NumPy raise kinds that none lists
            what = f"the twin cannot be loaded: {type(error).__name__}: {error}"
            raise BadInputError(what, where=folder / "twin", fix="train the model again") from error
    if importlib.util.find_spec("tensorflow") is None:
        what = f"the model needs TensorFlow, which is not installed here: {choice.reason}"
        raise BadInputError(what, where=folder, fix="serve it by the image `serving-tensorflow`")
    from components.serving.tensorflow_engine import TensorFlowEngine

    return TensorFlowEngine(folder / "1")

"""What computes the answers, behind one small interface."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from components.common.encoding import Values


class Engine(Protocol):
    """Computes a model's outputs from encoded columns; may be called from several threads."""

    def predict(self, columns: dict[str, Values]) -> dict[str, Values]:
        """Return one array `[rows]` or `[rows, classes]` for each output.

        Args:
            columns: One array `[rows]` for each input, as `encode_columns` makes them.
        """
        ...


def load_engine(folder: Path) -> Engine:
    """Load the SavedModel `1/` of a model folder.

    Args:
        folder: A model folder whose bytes were verified.

    Raises:
        BadInputError: `1/` is no SavedModel, or it has no signature `serving_default`.
    """
    # only now: a model that is refused waits for no import
    from components.serving.tensorflow_engine import TensorFlowEngine

    return TensorFlowEngine(folder / "1")

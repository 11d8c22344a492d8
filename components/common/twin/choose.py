"""Which engine serves a model: its twin where that is proven, and TensorFlow where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.common.artifacts import twin_obstacle
from components.common.errors import BadInputError
from components.common.images import ImageName

ENGINES = ("auto", "twin", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What serves a model.

    Attributes:
        engine: `twin` (NumPy alone) or `tensorflow`.
        reason: Why it is not the twin; None when it is.
    """

    engine: Literal["twin", "tensorflow"]
    reason: str | None = None

    @property
    def image(self) -> ImageName:
        """The image that has what this engine needs."""
        return "serving" if self.engine == "twin" else "serving-tensorflow"


def choose_engine(model: Path, wanted: str = "auto") -> Choice:
    """Choose what serves a model.

    Args:
        model: A complete model folder.
        wanted: `auto`: the twin, if there is a proven one; `twin` or `tensorflow`: this one.

    Raises:
        BadInputError: There is no such engine; or the twin is wanted, and there is none that is proven.
    """
    if wanted not in ENGINES:
        raise BadInputError("no such engine", value=wanted, fix=f"one of {', '.join(ENGINES)}")
    obstacle = twin_obstacle(model)
    if obstacle is None and wanted != "tensorflow":
        return Choice(engine="twin")
    if wanted == "twin":
        fix = "leave the engine at `auto`: TensorFlow then serves it"
        raise BadInputError(f"the model has no proven twin: {obstacle}", where=model, fix=fix)
    return Choice(engine="tensorflow", reason=obstacle or "`tensorflow` was asked for")

"""Answering in this process, without a server: a model's folder, checked and proved as a server does it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common.encoding import Values
from components.common.errors import BadInputError, UnavailableError
from components.common.saved_models import failure_reason
from components.serving.check import Columns
from components.serving.load import load_model
from components.serving.rest import describe_model
from components.serving.service import Service


class Predictor:
    """One model, loaded here; a context that ends with it.

    Attributes:
        described: What it takes and gives, as a server tells it.
    """

    def __init__(self, folder: Path) -> None:
        """Load a complete model by the engine that would serve it; raises as `load_model`."""
        model = load_model(folder, "model")
        self._service, self._runner = Service(model), asyncio.Runner()
        self.described: Mapping[str, Any] = describe_model(model)

    def __enter__(self) -> Predictor:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of what it runs in."""
        self._runner.close()

    def answer(self, columns: Columns) -> dict[str, Values]:
        """Return the outputs for columns, as `Service.answer`.

        Raises:
            InputError: A value is not what its input takes.
            UnavailableError: The model fails for a row, or gives an answer that is not a finite number.
        """
        try:
            return self._runner.run(self._service.answer(columns))
        except BadInputError:
            raise
        except Exception as error:  # the two engines share no kind of error; a server answers 500 to all
            raise UnavailableError(f"the model fails: {failure_reason(error)}") from error

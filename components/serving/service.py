"""Answering rows, whatever protocol they came by: checked, counted, batched, checked again."""

from __future__ import annotations

import numpy as np

from components.common.encoding import InputError, Values
from components.serving.batch import Batcher
from components.serving.check import Columns, encode_request
from components.serving.load import LoadedModel
from components.serving.metrics import ServingMetrics


class AnswerError(Exception):
    """The model gave what is no answer; the fault is not the client's."""


class Service:
    """One model, ready to answer.

    Attributes:
        model: The model.
        metrics: What was counted.
    """

    def __init__(self, model: LoadedModel) -> None:
        """Answer by `model`."""
        self.model = model
        self.metrics = ServingMetrics(
            model.name, model.revision, model.choice.engine, model.signature.outputs
        )
        self._batcher = Batcher(self._answer)

    async def answer(self, columns: Columns) -> dict[str, Values]:
        """Return the outputs for a request's columns.

        Args:
            columns: Values by input, all of one length; None is a missing value.

        Returns:
            An array `[rows]` or `[rows, classes]` for each output, in the signature's order.

        Raises:
            InputError: A value is not what its input takes.
            AnswerError: An answer is not a finite number.
        """
        return await self._batcher.answer(columns)

    def _answer(self, columns: Columns) -> dict[str, Values]:
        encoded = encode_request(columns, self.model.signature)
        found = self.model.engine.predict(encoded)
        outputs = {entry["name"]: found[entry["name"]] for entry in self.model.signature.outputs}
        if not all(np.isfinite(values).all() for values in outputs.values()):
            raise AnswerError("the model gave an answer that is not a finite number")
        self.metrics.count_answer(self.model.expected.anomalies(encoded), outputs)
        return outputs

    def count_refusal(self, error: InputError) -> None:
        """Count a request that was refused for one of its inputs."""
        self.metrics.count_anomaly(error.input, "refused")

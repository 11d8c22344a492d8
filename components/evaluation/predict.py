"""Answering raw rows with an exported model, as a server would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import (
    ModelRecord,
    Signature,
    read_model_record,
    read_signature,
)
from components.common.encoding import encode_columns
from components.common.errors import BadInputError
from components.common.saved_models import Serve, failure_reason, import_tensorflow, load_serving


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model that answers.

    Attributes:
        folder: Where it was loaded from.
        signature: Its inputs and its one output.
        record: How it was made.
        serve: Its `serving_default`.
    """

    folder: Path
    signature: Signature
    record: ModelRecord
    serve: Serve

    @property
    def inputs(self) -> list[str]:
        """Names of the raw columns that the model takes."""
        return [entry["name"] for entry in self.signature.inputs]

    @property
    def output(self) -> str:
        """Name of what it answers: `probability`, `probabilities` or `prediction`."""
        return self.signature.outputs[0]["name"]

    def answer(self, columns: Any, *, batch_size: int) -> NDArray[np.float32]:
        """Answer raw rows.

        Args:
            columns: Mapping or Arrow table of raw columns of equal length, at least one row.
            batch_size: Rows per call.

        Returns:
            `[rows]`, or `[rows, classes]` for several classes.

        Raises:
            BadInputError: An input is missing or of another type, the model fails for a value, or the
                answer has not the shape that the signature promises.
        """
        try:
            return self.answer_encoded(self.encode(columns), batch_size=batch_size)
        except import_tensorflow().errors.OpError as error:
            what = f"the model fails for a value: {failure_reason(error)}"
            raise BadInputError(what, where=self.folder, fix="mend `preprocessing_fn`") from error

    def encode(self, columns: Any) -> dict[str, NDArray[Any]]:
        """Turn raw columns into the arrays that the graph takes; arguments and errors as in `answer`."""
        names = [name for name in self.inputs if name in _names(columns)]
        return encode_columns({name: columns[name] for name in names}, self.signature)

    def answer_encoded(
        self, encoded: Mapping[str, NDArray[Any]], *, batch_size: int
    ) -> NDArray[np.float32]:
        """Answer what `encode` returned; TensorFlow's own error says that the model fails for a value."""
        rows = len(next(iter(encoded.values())))
        answers = [
            self._answer_batch(
                {name: values[start : start + batch_size] for name, values in encoded.items()}
            )
            for start in range(0, rows, batch_size)
        ]
        return np.concatenate(answers)

    def _answer_batch(self, batch: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        outputs = self.serve(batch)
        rows = len(next(iter(batch.values())))
        wide = (len(self.record.classes),) if self.record.task == "multiclass" else ()
        answer = outputs.get(self.output)
        if answer is None or answer.shape != (rows, *wide):
            found = {name: tuple(tensor.shape) for name, tensor in outputs.items()}
            fix = f"export `{self.output}` of shape {(rows, *wide)}"
            raise BadInputError("the model breaks its signature", where=self.folder, value=found, fix=fix)
        return answer


def load_model(folder: Path) -> LoadedModel:
    """Load the SavedModel of a model's folder.

    Args:
        folder: A model as training or evaluation wrote it.

    Raises:
        BadInputError: A file is missing or malformed, or TensorFlow cannot load `1/`.
    """
    signature, record = read_signature(folder), read_model_record(folder)
    serve = load_serving(folder / "1")
    return LoadedModel(folder=folder, signature=signature, record=record, serve=serve)


def _names(columns: Any) -> list[str]:
    return columns.column_names if hasattr(columns, "column_names") else list(columns)

"""Telling rows that a SavedModel answers from those that it has no answer to, and fails for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.errors import BadInputError
from components.common.saved_models import import_tensorflow
from components.common.twin.kinds import OperationError
from components.common.twin.run import Twin
from components.evaluation.predict import LoadedModel

Columns = Mapping[str, NDArray[Any]]

_MOST = 500  # rows that fail; each one costs some calls


class UncountedError(BadInputError):
    """A model fails for more rows than are looked for, so which ones is not known."""


def find_refused(model: LoadedModel, columns: Columns, batch_size: int) -> list[int]:
    """Return the numbers of the rows that a model fails for, such as text that is no number, ascending.

    Args:
        model: The model.
        columns: Encoded rows.
        batch_size: Rows per call.

    Raises:
        UncountedError: More than 500 rows fail.
    """
    tf = import_tensorflow()
    failed: list[int] = []

    def search(start: int, end: int) -> None:
        try:
            part = {name: values[start:end] for name, values in columns.items()}
            model.answer_encoded(part, batch_size=batch_size)
        except tf.errors.OpError as error:
            if len(failed) >= _MOST:
                raise UncountedError(f"the model fails for more than {_MOST} values") from error
            if end - start == 1:
                failed.append(start)
                return
            search(start, (start + end) // 2)
            search((start + end) // 2, end)

    search(0, _count(columns))
    return failed


def split_refused(
    model: LoadedModel, columns: Columns, batch_size: int
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the rows that a model answers, and those that it fails for; arguments as in `find_refused`."""
    failed = find_refused(model, columns, batch_size)
    answered = np.setdiff1d(np.arange(_count(columns)), failed)
    return (
        {name: values[answered] for name, values in columns.items()},
        {name: values[failed] for name, values in columns.items()},
    )


def answers_any(twin: Twin, refused: Columns) -> bool:
    """Return whether a twin answers any of the rows that its model has no answer to, each alone."""
    for row in range(_count(refused)):
        try:
            twin.predict({name: values[row : row + 1] for name, values in refused.items()})
        except OperationError:
            continue
        return True
    return False


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))

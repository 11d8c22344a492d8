"""The reference in the leaderboard: scikit-learn's gradient boosting on the same split, not deployable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from components.common.artifacts import read_transform
from components.training.measure import measure_answers
from components.training.read_arrays import Arrays, Layout, lay_out, read_arrays

_MOST_CATEGORIES = 254  # scikit-learn takes 255 bins
_MOST_ROWS = 100_000  # of each split, spread evenly: more changes little and takes as long as a trial


def fit_reference(transformed_examples: Path, transform_graph: Path) -> dict[str, float]:
    """Fit on the train split and measure on the eval split, as trials are.

    It has scikit-learn's own settings, a fixed seed and one thread, so that it repeats to the last bit.
    An index of more than 254 values counts as a number.

    Args:
        transformed_examples: Artifact of the transform.
        transform_graph: Artifact of the transform.

    Returns:
        See `measure_answers`.

    Raises:
        BadInputError: A split has no row, or lacks a feature.
    """
    summary = read_transform(transform_graph)
    layout = lay_out(summary)
    train, evaluation = (
        _thin(read_arrays(transformed_examples, split, layout)) for split in ("train", "eval")
    )
    regression = summary.task == "regression"
    kind: Any = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    categorical = [size <= _MOST_CATEGORIES for size in layout.sizes]
    categories = [False] * len(layout.numbers) + categorical
    with threadpool_limits(1):
        booster = kind(random_state=0, categorical_features=categories)
        booster.fit(_matrix(train, layout), train.label)
        rows = _matrix(evaluation, layout)
        answers = booster.predict(rows) if regression else booster.predict_proba(rows)
    if summary.task == "multiclass":
        answers = _spread(answers, booster.classes_, len(summary.classes))
    return measure_answers(
        evaluation.label, answers[:, 1] if summary.task == "binary" else answers, summary.task
    )


def _thin(rows: Arrays) -> Arrays:
    if len(rows.label) <= _MOST_ROWS:
        return rows
    return rows.take(np.linspace(0, len(rows.label) - 1, _MOST_ROWS).astype(np.int64))


def _matrix(rows: Arrays, layout: Layout) -> NDArray[Any]:
    """Return `[rows, features]`: numbers, then indices."""
    empty = np.empty((len(rows.label), 0))
    return np.concatenate(
        [rows.inputs["numbers"] if layout.numbers else empty, rows.inputs.get("indices", empty)], axis=1
    )


def _spread(answers: NDArray[Any], found: NDArray[Any], classes: int) -> NDArray[Any]:
    """Give classes that the train split lacks a probability of zero."""
    spread = np.zeros((len(answers), classes))
    spread[:, found.astype(np.int64)] = answers
    return spread

"""Curves and counts of decisions over every threshold: ROC, precision and recall, confusion."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.evaluation.estimate import Floats, Labels
from components.evaluation.judged import Judged

MOST_POINTS = 200
MOST_CLASSES = 50  # of a confusion matrix in metadata: beyond it nobody can read it


class CurvePoint(NamedTuple):
    """What answering yes from one threshold on would give; all in [0, 1]."""

    threshold: float
    false_positive_rate: float
    recall: float
    precision: float


def trace_curve(labels: Labels, probability: Floats) -> list[CurvePoint]:
    """Return at most 200 thresholds, the highest first, spread evenly over the distinct answers.

    Args:
        labels: `[rows]`, 0 or 1.
        probability: `[rows]` of class 1, finite.
    """
    order = np.argsort(-probability, kind="stable")
    last = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    hits, answered = np.cumsum(labels[order] == 1)[last], last + 1
    alarms = answered - hits
    picks = np.unique(np.linspace(0, len(last) - 1, MOST_POINTS).round().astype(int))
    columns = (
        probability[order][last],
        alarms / max(1, int(alarms[-1])),
        hits / max(1, int(hits[-1])),
        hits / answered,
    )
    return [CurvePoint(*row) for row in np.column_stack(columns)[picks].tolist()]


def count_confusion(judged: Judged, classes: int) -> NDArray[np.int64]:
    """Count rows `[classes, classes]` by label and answered class."""
    if judged.task == "multiclass":
        answered = judged.answers.argmax(axis=1)
    else:
        answered = (judged.answers.astype(np.float64) >= judged.decision.threshold).astype(np.int64)
    flat = np.bincount(judged.labels * classes + answered, minlength=classes * classes)
    return flat.reshape(classes, classes)


def classification_metadata(judged: Judged, classes: list[str]) -> dict[str, Any]:
    """Return what KFP's dashboard draws of an artifact `ClassificationMetrics`.

    Args:
        judged: The model.
        classes: Names by index; of more than 50 there is no matrix.

    Returns:
        `confusionMatrix` and, of two classes, `confidenceMetrics` (the ROC curve); empty for a regression
        and when nothing could be measured.
    """
    if judged.task == "regression" or not judged.estimates:
        return {}
    found: dict[str, Any] = {}
    if len(classes) <= MOST_CLASSES:
        rows = [{"row": row} for row in count_confusion(judged, len(classes)).tolist()]
        found["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": name} for name in classes],
            "rows": rows,
        }
    if judged.task == "binary":
        found["confidenceMetrics"] = [
            {
                "confidenceThreshold": point.threshold,
                "falsePositiveRate": point.false_positive_rate,
                "recall": point.recall,
            }
            for point in trace_curve(judged.labels, judged.answers.astype(np.float64))
        ]
    return found

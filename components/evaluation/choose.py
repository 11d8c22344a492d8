"""Choosing from which probability on a binary model answers yes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.common.errors import BadInputError
from components.evaluation.config import EvaluationConfig
from components.evaluation.measure_decisions import Decision
from components.evaluation.predict import LoadedModel
from components.evaluation.read import read_rows


def choose_decision(model: LoadedModel, examples: Path, config: EvaluationConfig) -> Decision:
    """Return the threshold that is cheapest on the eval split, or 0.5 when no costs were stated.

    The test split has no part in it, so that what it says of the decisions stays honest; Elkan (2001)
    gives the threshold that perfect probabilities would have, false positive / (false positive + false
    negative), and this one comes near it as far as the model's probabilities are right.

    Args:
        model: Answers the eval split.
        examples: Folder of splits.
        config: Costs and batch size.

    Raises:
        BadInputError: Costs are stated and the task has not two classes, or the eval split cannot be read.
    """
    if config.costs is None:
        return Decision()
    if model.record.task != "binary":
        fix = "leave `costs` out: only yes and no have two kinds of mistakes"
        raise BadInputError(
            f"costs cannot be used for {model.record.task}", where="evaluation.costs", fix=fix
        )
    costs = (float(config.costs["false_positive"]), float(config.costs["false_negative"]))
    rows = read_rows(examples, "eval", model.record, columns=model.inputs)
    answers = model.answer(rows.table, batch_size=config.batch_size).astype(np.float64)
    return Decision(threshold=find_threshold(rows.labels == 1, answers, costs), costs=costs)


def find_threshold(
    positive: NDArray[np.bool_], probability: NDArray[np.float64], costs: tuple[float, float]
) -> float:
    """Return the cheapest threshold, half way between the answers that it divides.

    Args:
        positive: `[rows]`.
        probability: `[rows]`; rows whose answer is not finite are left out.
        costs: Of a false positive and of a false negative.

    Returns:
        In [0, 1], or just above 1 when it is cheapest never to answer yes though 1 was answered. The
        highest of several that cost the same.
    """
    finite = np.isfinite(probability)
    scores, inverse = np.unique(probability[finite], return_inverse=True)
    hits = np.bincount(inverse, positive[finite], minlength=len(scores))
    alarms = np.bincount(inverse, ~positive[finite], minlength=len(scores))
    missed = np.append(0.0, np.cumsum(hits))  # when the lowest 0, 1, 2 … scores are answered no
    raised = alarms.sum() - np.append(0.0, np.cumsum(alarms))
    cost = costs[0] * raised + costs[1] * missed
    place = int(np.flatnonzero(cost <= cost.min() + 1e-9 * cost.max())[-1])
    if place == 0:
        return 0.0
    if place == len(scores):
        return (scores[-1] + 1.0) / 2 if scores[-1] < 1.0 else math.nextafter(1.0, 2.0)
    return float(scores[place - 1] + scores[place]) / 2

"""Permutation importance: how much worse the model is when one column tells nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.catalogue import PRIMARY, worse_by
from components.evaluation.config import EvaluationConfig
from components.evaluation.estimate import Estimate, difference, normal_estimate
from components.evaluation.judged import Judged
from components.evaluation.measure import measure
from components.evaluation.predict import LoadedModel


@dataclass(frozen=True, kw_only=True)
class Importance:
    """What one raw column is worth to the model.

    Attributes:
        column: The column.
        harm: How much worse the primary metric is without what the column tells, with the 95 % interval
            over rows; positive for a column that helps.
    """

    column: str
    harm: Estimate


def measure_importance(
    model: LoadedModel, judged: Judged, table: Any, config: EvaluationConfig
) -> list[Importance]:
    """Permute one column at a time and ask again (Breiman 2001; Fisher, Rudin and Dominici 2019).

    Columns that tell the same can stand in for each other, and each then looks worth little. The
    permutations are seeded, so that the numbers repeat.

    Args:
        model: Answers.
        judged: Labels and answers of the rows.
        table: Their raw columns.
        config: Most rows, spread evenly, and permutations of each column.

    Returns:
        The most important first; empty when importance is not asked for or cannot be measured.
    """
    name, rows = PRIMARY[judged.task], len(judged.labels)
    count = min(rows, config.importance_rows)
    chosen = np.arange(count) * rows // count
    labels, answers = judged.labels[chosen], judged.answers[chosen]
    before = measure(judged.task, labels, answers).get(name)
    if before is None or config.importance_repeats == 0:
        return []
    encoded = model.encode(table.take(chosen))
    found: list[Importance] = []
    for place, column in enumerate(encoded):
        random = np.random.default_rng([0, place])
        changes: list[Estimate] = []
        for _ in range(config.importance_repeats):
            shuffled = {**encoded, column: random.permutation(encoded[column])}
            again = model.answer_encoded(shuffled, batch_size=config.batch_size)
            after = measure(judged.task, labels, again).get(name)
            change = difference(after, before) if after else None
            changes += [change] if change else []
        if changes:
            found.append(Importance(column=column, harm=_average(changes, name)))
    return sorted(found, key=lambda one: -one.harm.value)


def _average(changes: list[Estimate], name: str) -> Estimate:
    sign = worse_by(name, 1.0)
    value = sign * float(np.mean([change.value for change in changes]))
    influences: list[NDArray[np.float64]] = [
        change.influence for change in changes if change.influence is not None
    ]
    return normal_estimate(value, sign * np.mean(influences, axis=0))

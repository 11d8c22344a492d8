"""Metrics of decisions: what was answered yes, and what it should have been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.estimate import (
    Estimate,
    Floats,
    Labels,
    mean_estimate,
    normal_estimate,
    scale_influence,
    wilson_interval,
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """When a binary model's answer counts as the second class.

    Attributes:
        threshold: From this probability on.
        costs: `(false_positive, false_negative)` of one row, in any unit, or None when none were stated.
    """

    threshold: float = 0.5
    costs: tuple[float, float] | None = None


def estimate_share(hits: Mask, among: Mask) -> Estimate | None:
    """Estimate the share of some rows that are hits, with Wilson's interval over those rows.

    Args:
        hits: `[rows]`.
        among: `[rows]`, the rows that count; precision, recall and accuracy differ in them alone.

    Returns:
        The estimate, or None when no row counts.
    """
    count = int(among.sum())
    if count == 0:
        return None
    share = int((hits & among).sum()) / count
    low, high = wilson_interval(share, count)
    centred: Floats = among * (hits.astype(np.float64) - share) * (len(among) / count)
    return Estimate(value=share, low=low, high=high, influence=scale_influence(centred))


def estimate_f1(labels: Mask, answered: Mask) -> Estimate | None:
    """Estimate F1, the harmonic mean of precision and recall.

    Of the rows that are positive, or answered so, F1 knows only which are both: their share is the
    Jaccard index J, a plain share with Wilson's interval, and F1 = 2 J / (1 + J) carries it over.

    Args:
        labels: `[rows]`, true where the class is.
        answered: `[rows]`, true where it was answered.

    Returns:
        The estimate, or None when the class neither occurs nor is answered.
    """
    both = int((labels & answered).sum())
    either = int((labels | answered).sum())
    if either == 0:
        return None
    low, high = (2 * share / (1 + share) for share in wilson_interval(both / either, either))
    value = 2 * both / (both + either)
    weights = labels.astype(np.float64) + answered
    centred = (2.0 * (labels & answered) - value * weights) / weights.mean()
    return Estimate(value=value, low=low, high=high, influence=scale_influence(centred))


def measure_decisions(
    labels: Labels, probability: Floats, decision: Decision
) -> dict[str, Estimate | None]:
    """Measure yes and no.

    Args:
        labels: `[rows]`, 0 or 1.
        probability: `[rows]` of class 1.
        decision: From where on the answer is yes, and what a wrong one costs.

    Returns:
        `accuracy`, `precision`, `recall`, `f1`, `false_positive_rate`, `selection_rate` and, when costs
        were stated, `cost`: the mean cost of a row.
    """
    positive, answered = labels == 1, probability >= decision.threshold
    every = np.ones(len(labels), np.bool_)
    found = {
        "accuracy": estimate_share(positive == answered, every),
        "precision": estimate_share(positive, answered),
        "recall": estimate_share(answered, positive),
        "f1": estimate_f1(positive, answered),
        "false_positive_rate": estimate_share(answered, ~positive),
        "selection_rate": estimate_share(answered, every),
    }
    if decision.costs:
        alarm, miss = decision.costs
        found["cost"] = mean_estimate(
            alarm * (answered & ~positive) + miss * (positive & ~answered), lowest=0.0
        )
    return found


def measure_macro(labels: Labels, answered: Labels) -> dict[str, Estimate | None]:
    """Average precision, recall and F1 over classes, each class with equal weight.

    A class counts when it occurs or was answered; where its metric has no denominator it counts 0, as in
    scikit-learn. The classes' influences are averaged row by row, so their covariance is in the interval.

    Args:
        labels: `[rows]` class indices.
        answered: `[rows]` class indices.
    """
    classes = np.union1d(labels, answered)
    return {
        "precision": _mean([estimate_share(labels == k, answered == k) for k in classes], len(labels)),
        "recall": _mean([estimate_share(answered == k, labels == k) for k in classes], len(labels)),
        "f1": _mean([estimate_f1(labels == k, answered == k) for k in classes], len(labels)),
    }


def _mean(estimates: list[Estimate | None], rows: int) -> Estimate:
    influence = np.zeros(rows)
    for estimate in estimates:
        if estimate is not None and estimate.influence is not None:
            influence += estimate.influence
    value = sum(estimate.value for estimate in estimates if estimate) / len(estimates)
    return normal_estimate(value, influence / len(estimates), lowest=0.0, highest=1.0)

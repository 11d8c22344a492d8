"""Metrics of order: the area under the ROC curve and average precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from components.evaluation.estimate import (
    Z_95,
    Estimate,
    Floats,
    Labels,
    normal_estimate,
    scale_influence,
    wilson_interval,
)


def estimate_auc(positive: NDArray[np.bool_], scores: Floats) -> Estimate | None:
    """Estimate the area under the ROC curve: how often a positive row scores above a negative one.

    The variance is that of DeLong, DeLong and Clarke-Pearson (1988), from sorted scores instead of all
    pairs (after Sun and Xu 2014): n log n. An area of exactly 0 or 1 has variance 0 and says little
    when rows are few; Wilson's interval over the rows of the smaller class stands in there.

    Args:
        positive: `[rows]`, true for the class that shall score high.
        scores: `[rows]`; ties count one half.

    Returns:
        The estimate, or None when there are fewer than two positive or two negative rows.
    """
    smaller = min(int(positive.sum()), int((~positive).sum()))
    if smaller < 2:
        return None
    area, influence = _delong_components(positive, scores)
    if area in (0.0, 1.0):
        low, high = wilson_interval(area, smaller)
        return Estimate(value=area, low=low, high=high, influence=influence)
    return normal_estimate(area, influence, lowest=0.0, highest=1.0)


def estimate_macro_auc(labels: Labels, probabilities: Floats) -> Estimate | None:
    """Estimate the mean over classes of the area of one class against the rest.

    The classes' DeLong components are averaged row by row, so their covariance is in the interval.

    Args:
        labels: `[rows]` class indices.
        probabilities: `[rows, classes]`.

    Returns:
        The estimate over the classes that at least two rows have and two have not, or None without any.
    """
    found, counts = np.unique(labels, return_counts=True)
    seen = found[(counts >= 2) & (counts <= len(labels) - 2)]
    if len(seen) == 0:
        return None
    total, influence = 0.0, np.zeros(len(labels))
    for index in seen:
        area, components = _delong_components(labels == index, probabilities[:, index])
        total, influence = total + area, influence + components
    return normal_estimate(total / len(seen), influence / len(seen), lowest=0.0, highest=1.0)


def estimate_average_precision(positive: NDArray[np.bool_], scores: Floats) -> Estimate | None:
    """Estimate average precision: the precision at each distinct score, weighted by the recall it adds.

    The interval is the logit one of Boyd, Eng and Page (2013), "Area under the precision-recall curve:
    point estimates and confidence intervals"; at exactly 1 Wilson's over the positive rows stands in.

    Args:
        positive: `[rows]`, true for the class that shall score high.
        scores: `[rows]`.

    Returns:
        The estimate, or None when there are no positive or no negative rows.
    """
    positives = int(positive.sum())
    if positives in (0, len(positive)):
        return None
    value, influence = _precision_components(positive, scores)
    if value == 1.0:
        low, high = wilson_interval(value, positives)
    else:
        middle = math.log(value / (1 - value))
        half = Z_95 / math.sqrt(positives * value * (1 - value))
        low, high = _logistic(middle - half), _logistic(middle + half)
    return Estimate(value=value, low=low, high=high, influence=influence)


def _precision_components(positive: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """Return average precision and its influence function `[rows]`.

    A row moves it by the precision at its own score, if positive, and by what it does to the precision at
    the scores of all positive rows below it.
    """
    rows, positives = len(scores), int(positive.sum())
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each distinct score
    above, hits = last + 1, np.cumsum(positive[order])[last]
    precision, gained = hits / above, np.diff(hits, prepend=0)
    value = min(1.0, float(gained @ precision) / positives)
    group = np.empty(rows, np.intp)
    group[order] = np.searchsorted(last, np.arange(rows))
    moved = (gained / above)[::-1].cumsum()[::-1]  # over positives at or below, of 1 / rows above them
    lost = (gained * precision / above)[::-1].cumsum()[::-1]
    centred = positive * (precision[group] - value + moved[group]) - lost[group]
    return value, scale_influence(centred * (rows / positives))


def _delong_components(positive: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """Return the area and its components `[rows]`, squares of which sum to DeLong's variance."""
    above = _share_below(scores[positive], scores[~positive])
    below = 1.0 - _share_below(scores[~positive], scores[positive])
    area = float(above.mean())
    influence = np.empty(len(scores))
    influence[positive] = scale_influence(above - area)
    influence[~positive] = scale_influence(below - area)
    return area, influence


def _share_below(scores: Floats, others: Floats) -> Floats:
    """Return for each score the share of the others below it, ties counted one half."""
    ranked = np.sort(others)
    left, right = np.searchsorted(ranked, scores, "left"), np.searchsorted(ranked, scores, "right")
    return (left + right) / (2.0 * len(others))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value > -700 else 0.0

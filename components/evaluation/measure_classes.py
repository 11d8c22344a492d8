"""Metrics of probabilities, row by row: log loss and Brier score."""

from __future__ import annotations

import numpy as np

from components.evaluation.estimate import Estimate, Floats, Labels, mean_estimate

# Models answer in float32: a probability nearer to 0 than this is a rounding, not a claim.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


def log_losses(labels: Labels, probabilities: Floats) -> Floats:
    """Return `-log p(label)` of each row, in nats.

    Args:
        labels: `[rows]` class indices.
        probabilities: `[rows, classes]`, cut into [`SMALLEST_PROBABILITY`, 1 - `SMALLEST_PROBABILITY`].
    """
    chosen = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY))


def constant_losses(labels: Labels) -> Floats:
    """Return the log loss of each row `[rows]` under the best constant answer: the labels' own shares."""
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return -np.log(counts[inverse] / len(labels))


def estimate_log_loss(labels: Labels, probabilities: Floats) -> Estimate:
    """Estimate the mean log loss in nats; arguments as in `log_losses`."""
    return mean_estimate(log_losses(labels, probabilities), lowest=0.0)


def estimate_brier(labels: Labels, probabilities: Floats) -> Estimate:
    """Estimate the mean squared error of probabilities (Brier 1950).

    Args:
        labels: `[rows]` class indices.
        probabilities: `[rows]` of class 1, for an estimate in [0, 1]; or `[rows, classes]`, whose errors
            are summed over classes, in [0, 2].
    """
    if probabilities.ndim == 1:
        return mean_estimate(np.square(probabilities - labels, dtype=np.float64), lowest=0.0, highest=1.0)
    came = labels[:, None] == np.arange(probabilities.shape[1])
    return mean_estimate(np.square(probabilities - came).sum(axis=1), lowest=0.0, highest=2.0)

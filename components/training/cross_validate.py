"""Cross-validation: what a trial is worth on several divisions of the same rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from components.training.read_arrays import Arrays


def cross_validate(
    fit: Callable[[Arrays, Arrays, int], dict[str, float]], rows: Arrays, *, folds: int
) -> dict[str, float]:
    """Fit once for each fold, on all other rows.

    Args:
        fit: Takes the rows to learn from, the fold, and its number from 0; returns metrics on the fold.
        rows: All rows.
        folds: How many, at least 2. The division is the same for all trials; labels are spread evenly.

    Returns:
        The mean of each metric over the folds, and `<metric>_deviation`, their sample standard deviation.
    """
    member = _divide(rows, folds)
    found = [
        fit(rows.take(np.flatnonzero(member != fold)), rows.take(np.flatnonzero(member == fold)), fold)
        for fold in range(folds)
    ]
    values = {name: [one[name] for one in found] for name in found[0]}
    means = {name: float(np.mean(each)) for name, each in values.items()}
    return means | {f"{name}_deviation": float(np.std(each, ddof=1)) for name, each in values.items()}


def join(first: Arrays, second: Arrays) -> Arrays:
    """Put the rows of two splits together."""
    inputs = {name: np.concatenate([matrix, second.inputs[name]]) for name, matrix in first.inputs.items()}
    return Arrays(inputs, np.concatenate([first.label, second.label]))


def _divide(rows: Arrays, folds: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the fold of each row; rows sorted by label are dealt out in turn, ties in random order."""
    order = np.random.default_rng(0).permutation(len(rows.label))
    order = order[np.argsort(rows.label[order], kind="stable")]
    member = np.empty(len(order), np.int64)
    member[order] = np.arange(len(order)) % folds
    return member

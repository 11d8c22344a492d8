"""Decisions: shares, F1 and their means against SciPy, and simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from components.evaluation.estimate import difference
from components.evaluation.measure_decisions import estimate_f1, estimate_share, measure_macro


def draw(seed, rows=400):
    random = np.random.default_rng(seed)
    labels = random.random(rows) < 0.3
    return labels, np.where(random.random(rows) < 0.75, labels, ~labels)


def test_precision_has_scipys_wilson_interval_over_the_rows_answered_positive():
    labels, answered = draw(0)
    found = estimate_share(labels, answered)
    wanted = stats.binomtest(int((labels & answered).sum()), int(answered.sum())).proportion_ci(
        method="wilson"
    )
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_f1_carries_scipys_wilson_interval_of_the_jaccard_index_over():
    labels, answered = draw(1)
    found = estimate_f1(labels, answered)
    both, either = int((labels & answered).sum()), int((labels | answered).sum())
    ends = stats.binomtest(both, either).proportion_ci(method="wilson")
    assert found.value == pytest.approx(oracle.f1_score(labels, answered))
    assert (found.low, found.high) == pytest.approx([2 * end / (1 + end) for end in (ends.low, ends.high)])


@pytest.mark.parametrize("hits", [0, 8])
def test_f1_of_nothing_and_of_everything_right_keeps_an_interval(hits):
    labels = np.arange(20) < 8
    found = estimate_f1(labels, (np.arange(20) < hits) if hits else ~labels)
    assert found.value == (1.0 if hits else 0.0)
    assert found.high - found.low > 0.05


def test_a_class_that_neither_occurs_nor_is_answered_has_no_f1():
    assert estimate_f1(np.zeros(5, bool), np.zeros(5, bool)) is None
    assert estimate_share(np.ones(5, bool), np.zeros(5, bool)) is None


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_influences_give_the_standard_error_of_a_bootstrap(name):
    labels, answered = draw(2, 600)
    score = {"precision": oracle.precision_score, "recall": oracle.recall_score, "f1": oracle.f1_score}[
        name
    ]
    found = {
        "precision": estimate_share(labels, answered),
        "recall": estimate_share(answered, labels),
        "f1": estimate_f1(labels, answered),
    }[name]
    random = np.random.default_rng(0)
    draws = [random.integers(0, 600, 600) for _ in range(500)]
    spread = np.std([score(labels[rows], answered[rows]) for rows in draws])
    assert math.sqrt(found.influence @ found.influence) == pytest.approx(spread, rel=0.1)


def test_macro_f1_interval_covers_the_truth():
    # Right in 70 %, else one of the other two: by symmetry precision, recall and F1 of each class are 0.7.
    hits = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 3, 300)
        answered = np.where(random.random(300) < 0.7, labels, (labels + random.integers(1, 3, 300)) % 3)
        found = measure_macro(labels, answered)["f1"]
        hits += found.low <= 0.7 <= found.high
    assert 0.92 <= hits / 400 <= 0.98  # 95 %, up to chance in 400 draws


def test_equal_decisions_have_no_difference():
    labels, answered = draw(3)
    change = difference(estimate_f1(labels, answered), estimate_f1(labels, answered))
    assert (change.value, change.low, change.high) == (0.0, 0.0, 0.0)

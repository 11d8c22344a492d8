"""Curves and confusion against scikit-learn, in the form that KFP's own SDK writes."""

from __future__ import annotations

import numpy as np
import pytest
from kfp import dsl
from sklearn import metrics as oracle

from components.evaluation.judged import Judged
from components.evaluation.measure import measure
from components.evaluation.measure_decisions import Decision
from components.evaluation.trace import classification_metadata, count_confusion, trace_curve


def draw(rows, *, threshold=0.5):
    random = np.random.default_rng(0)
    labels = (random.random(rows) < 0.4).astype(np.int64)
    answers = np.round(1 / (1 + np.exp(-(random.normal(size=rows) + labels))), 2)
    estimates = measure("binary", labels, answers)
    decision = Decision(threshold=threshold)
    return Judged(task="binary", labels=labels, answers=answers, estimates=estimates, decision=decision)


def test_the_curve_equals_scikit_learns():
    judged = draw(300)
    points = {point.threshold: point for point in trace_curve(judged.labels, judged.answers)}
    alarms, hits, cuts = oracle.roc_curve(judged.labels, judged.answers, drop_intermediate=False)
    for alarm, hit, cut in zip(alarms[1:], hits[1:], cuts[1:], strict=True):
        assert (points[cut].false_positive_rate, points[cut].recall) == pytest.approx((alarm, hit))
    precision, _, cuts = oracle.precision_recall_curve(judged.labels, judged.answers)
    for right, cut in zip(precision[:-1], cuts, strict=True):
        assert points[cut].precision == pytest.approx(right)


def test_a_long_curve_keeps_both_ends_and_200_points():
    random = np.random.default_rng(0)
    points = trace_curve(random.integers(0, 2, 5_000), random.random(5_000))
    assert len(points) == 200
    assert (points[-1].false_positive_rate, points[-1].recall) == (1.0, 1.0)


def test_confusion_equals_scikit_learns_at_the_threshold():
    judged = draw(300, threshold=0.62)
    wanted = oracle.confusion_matrix(judged.labels, judged.answers >= 0.62)
    assert count_confusion(judged, 2).tolist() == wanted.tolist()


def test_the_metadata_is_what_kfps_own_methods_write():
    judged = draw(300)
    wanted = dsl.ClassificationMetrics()
    matrix = oracle.confusion_matrix(judged.labels, judged.answers >= 0.5).tolist()
    wanted.log_confusion_matrix(["no", "yes"], matrix)
    found = classification_metadata(judged, ["no", "yes"])
    assert found["confusionMatrix"] == wanted.metadata["confusionMatrix"]
    one = found["confidenceMetrics"][0]
    wanted.log_roc_data_point(one["falsePositiveRate"], one["recall"], one["confidenceThreshold"])
    assert one == wanted.metadata["confidenceMetrics"][0]


def test_a_regression_and_what_cannot_be_measured_have_none():
    judged = Judged(task="regression", labels=np.zeros(3), answers=np.zeros(3))
    assert classification_metadata(judged, []) == {}
    judged = Judged(task="binary", labels=np.zeros(3, int), answers=np.full(3, np.nan))
    assert classification_metadata(judged, ["0", "1"]) == {}

"""The gate, without a model: labels and answers in, checks out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from components.evaluation.compare import compare_answers, compare_constant
from components.evaluation.config import EvaluationConfig
from components.evaluation.judge import decide, judge_model
from components.evaluation.judged import Comparison, Judged
from components.evaluation.measure import measure
from components.evaluation.measure_decisions import Decision
from components.evaluation.slice import measure_slices
from components.evaluation.thresholds import Thresholds


def judge(task, labels, answers, thresholds, *, baseline=None, obstacle=None, reference=None):
    """Return the names of failed checks and the verdict."""
    judged = Judged(task=task, labels=labels, answers=answers, estimates=measure(task, labels, answers))
    constant = compare_constant(judged) if judged.estimates else None
    other = None
    if obstacle:
        other = Comparison(who="baseline", uri="u", digest="d", obstacle=obstacle)
    elif baseline is not None:
        other = compare_answers("baseline", judged, baseline, Decision())
    against = None if reference is None else compare_answers("reference", judged, reference, Decision())
    judged = replace(judged, constant=constant, baseline=other, reference=against)
    checks = judge_model(judged, thresholds)
    return [check.name for check in checks if not check.passed], decide(checks, other, [])


@pytest.fixture
def binary():
    random = np.random.default_rng(0)
    labels = (random.random(2_000) < 0.3).astype(np.int64)
    return labels, 1 / (1 + np.exp(-(random.normal(size=2_000) + 1.2 * labels - 1)))


@pytest.fixture
def regression():
    random = np.random.default_rng(0)
    labels = random.normal(size=2_000)
    return labels, labels + 0.5 * random.normal(size=2_000)


def test_a_good_model_without_baseline_says_so(binary):
    failed, verdict = judge("binary", *binary, Thresholds())
    assert (failed, verdict.passed, verdict.outcome) == ([], True, "blessed (no baseline yet)")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_constant_model_is_refused(task):
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 500)
    answers = {
        "binary": np.full(500, labels.mean()),
        "multiclass": np.tile([1 - labels.mean(), labels.mean()], (500, 1)),
        "regression": np.full(500, labels.mean()),
    }[task]
    failed, verdict = judge(task, labels, answers, Thresholds())
    assert failed == ["better than a constant"]
    assert verdict.outcome == "not blessed"
    assert judge(task, labels, answers, Thresholds(better_than_constant=False))[0] == []


def test_random_answers_are_seldom_shown_to_beat_a_constant():
    labels = np.repeat([0, 1], 100)
    draws = [np.random.default_rng(seed).random(200) for seed in range(200)]
    blessed = sum(not judge("binary", labels, draw, Thresholds())[0] for draw in draws)
    assert blessed <= 14  # one-sided 2.5 % of 200 is 5; more than 14 has probability below 1e-3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_passes_nothing(binary, bad):
    labels, answers = binary
    answers[7] = bad
    asked = Thresholds(bounds={"auc": {"min": 0.0}, "log_loss": {"max": 1e9}})
    failed, verdict = judge("binary", labels, answers, asked, baseline=binary[1])
    assert failed == ["answers", "better than a constant", "not worse than the baseline", "auc", "log_loss"]
    assert "1 of 2,000 are NaN or infinite" in verdict.reasons[0]


def test_a_baseline_that_answers_nan_is_no_pass(binary):
    labels, answers = binary
    broken = np.where(np.arange(len(labels)) == 0, np.nan, answers)
    assert judge("binary", labels, answers, Thresholds(), baseline=broken)[0] == [
        "not worse than the baseline"
    ]


def test_the_same_model_again_passes(binary, regression):
    assert judge("binary", *binary, Thresholds(max_regression=0.0), baseline=binary[1])[0] == []
    assert judge("regression", *regression, Thresholds(max_regression=0.0), baseline=regression[1])[0] == []


def test_a_much_worse_model_is_refused(binary, regression):
    random = np.random.default_rng(2)
    labels, answers = binary
    worse = np.clip(answers + 0.4 * random.normal(size=len(labels)), 0, 1)
    failed, verdict = judge("binary", labels, worse, Thresholds(), baseline=answers)
    assert failed == ["not worse than the baseline"]
    assert verdict.reasons[0].startswith("not worse than the baseline: auc changed by -")
    labels, answers = regression
    worse = answers + 0.3 * random.normal(size=len(labels))
    assert judge("regression", labels, worse, Thresholds(), baseline=answers)[0] == [
        "not worse than the baseline"
    ]


def test_another_seed_is_not_refused_by_chance():
    # Two models of equal quality; a gate on the values alone would refuse about one in four of them here.
    refused = by_value = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, 400)
        one, two = (1 / (1 + np.exp(-(random.normal(size=400) + labels))) for _ in range(2))
        refused += bool(judge("binary", labels, one, Thresholds(), baseline=two)[0])
        by_value += (
            measure("binary", labels, one)["auc"].value < measure("binary", labels, two)["auc"].value - 0.01
        )
    assert by_value > 40
    assert refused <= 10  # at most 2.5 % expected; more than 10 has probability below 1e-2


def test_the_margin_decides_between_a_small_and_a_large_loss(regression):
    labels, answers = regression
    worse = labels + 1.02 * (answers - labels)  # every squared error is 4.04 % larger
    assert judge("regression", labels, worse, Thresholds(max_regression=0.05), baseline=answers)[0] == []
    assert judge("regression", labels, worse, Thresholds(max_regression=0.03), baseline=answers)[0] != []


def test_a_better_model_passes_whatever_the_margin(regression):
    labels, answers = regression
    better = labels + 0.5 * (answers - labels)
    assert judge("regression", labels, better, Thresholds(max_regression=0.0), baseline=answers)[0] == []


@pytest.mark.parametrize(
    ("bounds", "passes"), [({"min": 0.7}, True), ({"min": 0.9}, False), ({"max": 0.5}, False)]
)
def test_bounds_are_held_against_the_value(binary, bounds, passes):
    failed, _ = judge("binary", *binary, Thresholds(bounds={"auc": bounds}))
    assert (failed == []) is passes


def test_a_bound_on_what_cannot_be_measured_fails():
    labels, answers = np.zeros(50, np.int64), np.linspace(0, 0.4, 50)
    asked = Thresholds(bounds={"auc": {"min": 0.0}}, better_than_constant=False)
    assert judge("binary", labels, answers, asked)[0] == ["auc"]


def test_what_cannot_be_compared_is_refused_with_the_way_out(binary):
    failed, verdict = judge("binary", *binary, Thresholds(), obstacle="the baseline needs column `tail`")
    assert failed == ["not worse than the baseline"]
    assert "column `tail`" in verdict.reasons[0]
    assert "`thresholds.max_regression` to null" in verdict.reasons[0]
    failed, verdict = judge("binary", *binary, Thresholds(max_regression=None), obstacle="the same")
    assert (failed, verdict.outcome) == ([], "blessed")


def test_a_margin_of_another_metric_is_held_against_the_baselines(binary):
    labels, answers = binary
    shy = np.where(answers > 0.5, 0.49, answers)  # ranks nearly as well, and never answers yes
    asked = Thresholds(bounds={"recall": {"max_regression": 0.05}}, max_regression=None)
    failed, verdict = judge("binary", labels, shy, asked, baseline=answers)
    assert failed == ["recall not worse than the baseline's"]
    assert "recall lower by at most 0.05" in verdict.reasons[0]
    assert judge("binary", labels, answers, asked, baseline=answers)[0] == []


def test_a_model_far_behind_the_reference_is_refused_only_when_asked(binary):
    labels, answers = binary
    worse = np.clip(answers + 0.4 * np.random.default_rng(2).normal(size=len(labels)), 0, 1)
    assert judge("binary", labels, worse, Thresholds(), reference=answers)[0] == []
    asked = Thresholds(max_reference_gap=0.01)
    assert judge("binary", labels, worse, asked, reference=answers)[0] == ["not far behind the reference"]
    assert judge("binary", labels, answers, asked, reference=answers)[0] == []
    assert judge("binary", labels, answers, asked)[0] == ["not far behind the reference"]


def test_every_measured_slice_must_reach_its_bound(binary):
    labels, answers = binary
    table = pa.table({"g": np.where(np.arange(2_000) < 400, "weak", "good")})
    mixed = np.where(np.arange(2_000) < 400, np.random.default_rng(3).random(2_000), answers)
    judged = Judged(task="binary", labels=labels, answers=mixed)
    slices = measure_slices(judged, table, [("g",)], EvaluationConfig())
    asked = Thresholds(slices={"g": {"auc": {"min": 0.65}, "recall": {"min": 0.0}}})
    checks = {check.name: check.passed for check in judge_model(judged, asked, slices=slices)[2:]}
    assert checks == {"auc where g = weak": False, "recall by `g`": True}


def test_a_slice_whose_metric_cannot_be_said_fails_its_bound():
    labels, answers = np.tile([0, 1], 200), np.linspace(0, 1, 400)
    table = pa.table({"g": np.where(labels == 1, "ones", "zeros")})
    judged = Judged(task="binary", labels=labels, answers=answers)
    slices = measure_slices(judged, table, [("g",)], EvaluationConfig())
    asked = Thresholds(slices={"g": {"auc": {"min": 0.0}}})
    failed = [check.name for check in judge_model(judged, asked, slices=slices) if not check.passed]
    assert {"auc where g = ones", "auc where g = zeros"} <= set(failed)
    few = measure_slices(judged, table, [("g",)], EvaluationConfig(min_slice_rows=300))
    failed = [check.name for check in judge_model(judged, asked, slices=few) if not check.passed]
    assert "auc by `g`" in failed

"""Metrics and intervals against scikit-learn, SciPy, the papers' own formulas, and simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from components.evaluation.catalogue import LARGER_IS_BETTER, METHODS, METRICS, PRIMARY
from components.evaluation.estimate import difference, wilson_interval
from components.evaluation.measure import measure, measure_classes
from components.evaluation.measure_decisions import Decision

FLOAT32_EPS = float(np.finfo(np.float32).eps)


def draw_binary(seed, rows=300, *, ties=True):
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.4).astype(np.int64)
    scores = 1 / (1 + np.exp(-(random.normal(size=rows) + labels)))
    return labels, np.round(scores, 2) if ties else scores


def draw_multiclass(seed, rows=300):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, rows)
    scores = np.exp(random.normal(size=(rows, 4)) + np.eye(4)[labels])
    return labels, scores / scores.sum(axis=1, keepdims=True)


def naive_delong(labels, *models):
    """Covariance of areas by the definitions of DeLong et al. (1988): all pairs, numpy.cov."""
    structural = []
    for scores in models:
        pairs = scores[labels == 1][:, None] - scores[labels == 0][None, :]
        kernel = (pairs > 0) + 0.5 * (pairs == 0)
        structural.append((kernel.mean(axis=1), kernel.mean(axis=0)))
    over_positive = np.atleast_2d(np.cov([parts[0] for parts in structural]))
    over_negative = np.atleast_2d(np.cov([parts[1] for parts in structural]))
    return over_positive / (labels == 1).sum() + over_negative / (labels == 0).sum()


def standard_error(estimate):
    return (estimate.high - estimate.low) / 2 / stats.norm.ppf(0.975)


@pytest.mark.parametrize("seed", range(3))
def test_binary_metrics_equal_scikit_learn(seed):
    labels, scores = draw_binary(seed)
    decision = Decision(threshold=0.3, costs=(1.0, 5.0))
    found = {name: estimate.value for name, estimate in measure("binary", labels, scores, decision).items()}
    assert found == pytest.approx(
        {
            "auc": oracle.roc_auc_score(labels, scores),
            "log_loss": oracle.log_loss(labels, np.clip(scores, FLOAT32_EPS, 1 - FLOAT32_EPS)),
            "average_precision": oracle.average_precision_score(labels, scores),
            "brier": oracle.brier_score_loss(labels, scores),
            "calibration_error": found["calibration_error"],  # test_measure_calibration.py
            "accuracy": oracle.accuracy_score(labels, scores >= 0.3),
            "precision": oracle.precision_score(labels, scores >= 0.3),
            "recall": oracle.recall_score(labels, scores >= 0.3),
            "f1": oracle.f1_score(labels, scores >= 0.3),
            "false_positive_rate": oracle.confusion_matrix(labels, scores >= 0.3, normalize="true")[0, 1],
            "selection_rate": np.mean(scores >= 0.3),
            "cost": (oracle.confusion_matrix(labels, scores >= 0.3) * [[0, 1], [5, 0]]).sum() / len(labels),
        },
        rel=1e-12,
    )


@pytest.mark.parametrize("seed", range(3))
def test_multiclass_metrics_equal_scikit_learn(seed):
    labels, scores = draw_multiclass(seed)
    found = {name: estimate.value for name, estimate in measure("multiclass", labels, scores).items()}
    assert found == pytest.approx(
        {
            "log_loss": oracle.log_loss(labels, scores),
            "accuracy": oracle.accuracy_score(labels, scores.argmax(axis=1)),
            "auc": oracle.roc_auc_score(labels, scores, multi_class="ovr"),
            "brier": oracle.brier_score_loss(labels, scores, scale_by_half=False),
            "calibration_error": found["calibration_error"],
            "precision": oracle.precision_score(labels, scores.argmax(axis=1), average="macro"),
            "recall": oracle.recall_score(labels, scores.argmax(axis=1), average="macro"),
            "f1": oracle.f1_score(labels, scores.argmax(axis=1), average="macro"),
        },
        rel=1e-12,
    )


def test_regression_metrics_equal_scikit_learn():
    random = np.random.default_rng(0)
    labels = random.normal(50, 10, 300)
    answers = labels + random.normal(1, 3, 300)
    found = {name: estimate.value for name, estimate in measure("regression", labels, answers).items()}
    assert found == pytest.approx(
        {
            "mse": oracle.mean_squared_error(labels, answers),
            "rmse": oracle.root_mean_squared_error(labels, answers),
            "mae": oracle.mean_absolute_error(labels, answers),
            "r2": oracle.r2_score(labels, answers),
            **{f"error_p{q:02}": np.percentile(answers - labels, q) for q in (5, 25, 50, 75, 95)},
        },
        rel=1e-12,
    )


@pytest.mark.parametrize("ties", [True, False])
def test_auc_variance_equals_delongs_definition(ties):
    labels, scores = draw_binary(5, ties=ties)
    estimate = measure("binary", labels, scores)["auc"]
    assert standard_error(estimate) ** 2 == pytest.approx(naive_delong(labels, scores)[0, 0], rel=1e-9)


def test_paired_auc_variance_equals_delongs_definition():
    labels, scores = draw_binary(5)
    other = np.round(0.7 * scores + 0.3 * np.random.default_rng(6).random(len(scores)), 2)
    change = difference(measure("binary", labels, scores)["auc"], measure("binary", labels, other)["auc"])
    covariance = naive_delong(labels, scores, other)
    wanted = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert standard_error(change) ** 2 == pytest.approx(wanted, rel=1e-9)
    wanted = oracle.roc_auc_score(labels, scores) - oracle.roc_auc_score(labels, other)
    assert change.value == pytest.approx(wanted)


def test_macro_auc_of_two_classes_has_the_interval_of_the_binary_auc():
    labels, scores = draw_binary(1)
    both = np.column_stack([1 - scores, scores])
    macro, single = measure("multiclass", labels, both)["auc"], measure("binary", labels, scores)["auc"]
    assert macro.bounds() == pytest.approx(single.bounds())


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (3, 10), (10, 10), (1, 2), (530, 1_000)])
def test_accuracy_interval_equals_scipys_wilson(hits, rows):
    wanted = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson_interval(hits / rows, rows) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    labels = np.zeros(rows, np.int64)
    scores = np.where(np.arange(rows) < hits, 0.1, 0.9)
    found = measure("binary", labels, scores)["accuracy"]
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_interval_of_a_mean_equals_scipys():
    random = np.random.default_rng(0)
    labels, answers = random.normal(size=200), random.normal(size=200)
    found = measure("regression", labels, answers)["mae"]
    losses = np.abs(labels - answers)
    wanted = stats.norm.interval(0.95, losses.mean(), stats.sem(losses))
    assert (found.low, found.high) == pytest.approx(wanted, rel=1e-12)


def test_influences_of_average_precision_give_the_standard_error_of_a_bootstrap():
    labels, scores = draw_binary(4, rows=800)
    influence = measure("binary", labels, scores)["average_precision"].influence
    random, rows = np.random.default_rng(0), len(labels)
    draws = [random.integers(0, rows, rows) for _ in range(600)]
    again = [oracle.average_precision_score(labels[draw], scores[draw]) for draw in draws]
    assert abs(influence.mean()) < 1e-12
    assert math.sqrt(influence @ influence) == pytest.approx(np.std(again), rel=0.1)


def test_each_class_against_the_others_equals_scikit_learn():
    labels, scores = draw_multiclass(3)
    answered = scores.argmax(axis=1)
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(labels, answered)
    for index, found in enumerate(measure_classes(labels, scores)):
        assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(
            {
                "precision": precision[index],
                "recall": recall[index],
                "f1": f1[index],
                "auc": oracle.roc_auc_score(labels == index, scores[:, index]),
                "average_precision": oracle.average_precision_score(labels == index, scores[:, index]),
            }
        )


def test_a_class_that_never_occurs_counts_in_the_mean_as_scikit_learn_counts_it():
    labels, scores = draw_multiclass(3)
    labels[labels == 2] = 1
    found = measure("multiclass", labels, scores)
    wanted = oracle.f1_score(labels, scores.argmax(axis=1), average="macro", zero_division=0)
    assert found["f1"].value == pytest.approx(wanted)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_interval_of_an_error_quantile_is_scipys_but_for_one_rank(share):
    errors = np.random.default_rng(0).exponential(size=500)
    found = measure("regression", np.zeros(500), errors)[f"error_p{100 * share:02.0f}"]
    ranked = np.sort(errors)
    exact = stats.binom(500, share)
    assert abs(np.searchsorted(ranked, found.low) + 1 - exact.ppf(0.025)) <= 1
    assert abs(np.searchsorted(ranked, found.high) - exact.ppf(0.975)) <= 1


def test_too_few_rows_leave_no_extreme_quantile():
    found = measure("regression", np.zeros(40), np.random.default_rng(0).normal(size=40))
    assert "error_p50" in found
    assert not {"error_p05", "error_p95"} & set(found)


def test_paired_difference_of_means_equals_scipys():
    labels, scores = draw_binary(5)
    other = np.clip(scores + 0.05, 0, 1)
    change = difference(
        measure("binary", labels, scores)["brier"], measure("binary", labels, other)["brier"]
    )
    losses = (scores - labels) ** 2 - (other - labels) ** 2
    wanted = stats.norm.interval(0.95, losses.mean(), stats.sem(losses))
    assert (change.low, change.high) == pytest.approx(wanted, rel=1e-9)


# 500 draws of a 95 % interval: fewer than 92 % or more than 98 % hits have probability below 1e-2.
DRAWS, FEWEST, MOST = 500, 0.92, 0.98


def coverage(draw, truth):
    found = [draw(np.random.default_rng(seed)) for seed in range(DRAWS)]
    return float(np.mean([estimate.low <= truth <= estimate.high for estimate in found]))


def test_auc_interval_covers_the_binormal_truth():
    labels = np.repeat([0, 1], [120, 80])

    def draw(random):
        return measure("binary", labels, stats.norm.cdf(random.normal(size=200) + labels))["auc"]

    assert FEWEST <= coverage(draw, stats.norm.cdf(1 / math.sqrt(2))) <= MOST


def test_paired_auc_interval_covers_no_difference():
    labels = np.repeat([0, 1], [120, 80])

    def draw(random):
        shared = random.normal(size=200) + labels
        one, two = (stats.norm.cdf(shared + random.normal(size=200)) for _ in range(2))
        return difference(measure("binary", labels, one)["auc"], measure("binary", labels, two)["auc"])

    assert FEWEST <= coverage(draw, 0.0) <= MOST


@pytest.mark.parametrize(
    ("name", "truth"),
    [("r2", 0.8), ("rmse", 0.5), ("mse", 0.25), ("error_p95", 0.5 * stats.norm.ppf(0.95))],
)
def test_regression_intervals_cover_the_truth(name, truth):
    def draw(random):
        answers = random.normal(size=300)
        labels = answers + 0.5 * random.normal(size=300)
        return measure("regression", labels, answers)[name]

    assert FEWEST <= coverage(draw, truth) <= MOST


def test_average_precision_interval_covers_the_value_of_a_large_draw():
    def scores_of(random, labels):
        return stats.norm.cdf(random.normal(size=len(labels)) + labels)

    large = np.repeat([0, 1], [300_000, 200_000])
    truth = oracle.average_precision_score(large, scores_of(np.random.default_rng(0), large))
    labels = np.repeat([0, 1], [300, 200])
    found = coverage(
        lambda random: measure("binary", labels, scores_of(random, labels))["average_precision"], truth
    )
    assert found >= 0.93  # Boyd, Eng and Page: at least nominal, often wider


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_answer_that_is_not_finite_leaves_nothing_to_say(bad):
    labels, scores = draw_binary(0)
    scores[3] = bad
    assert measure("binary", labels, scores) == {}


def test_one_class_leaves_no_auc_but_an_accuracy():
    found = measure("binary", np.zeros(20, np.int64), np.linspace(0, 1, 20))
    assert not {"auc", "average_precision", "recall"} & set(found)
    assert {"log_loss", "accuracy", "brier", "false_positive_rate"} <= set(found)


def test_a_single_row_of_a_class_leaves_no_auc():
    labels = np.repeat([0, 1], [19, 1])
    assert "auc" not in measure("binary", labels, np.linspace(0, 1, 20))
    assert "auc" not in measure("multiclass", labels, np.tile([0.5, 0.5], (20, 1)))


def test_equal_labels_leave_no_r2():
    assert "r2" not in measure("regression", np.full(20, 3.0), np.linspace(0, 1, 20))


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_leave_nothing_to_say(rows):
    assert measure("regression", np.zeros(rows), np.zeros(rows)) == {}


def test_perfect_ranking_of_few_rows_keeps_an_interval():
    found = measure("binary", np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))["auc"]
    wanted = stats.binomtest(2, 2).proportion_ci(method="wilson")
    assert (found.value, found.low, found.high) == pytest.approx((1.0, wanted.low, 1.0))


def test_certainty_that_is_wrong_costs_a_finite_loss():
    found = measure("binary", np.array([0, 1, 1]), np.array([1.0, 1.0, 1.0], np.float32))["log_loss"]
    assert found.value == pytest.approx(-math.log(FLOAT32_EPS) / 3, rel=1e-4)


def test_errors_too_large_for_a_double_are_left_out_not_infinite():
    found = measure("regression", np.array([0.0, 1e200, -1e200]), np.array([0.0, 1.0, 2.0]))
    assert "mse" not in found


@pytest.mark.parametrize("task", METRICS)
def test_every_metric_has_a_method_and_each_task_a_primary(task):
    assert set(METRICS[task]) <= set(METHODS)
    assert PRIMARY[task] in METRICS[task]
    assert set(METHODS) >= LARGER_IS_BETTER

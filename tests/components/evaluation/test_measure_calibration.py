"""Calibration against scikit-learn's curve, and intervals against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve

from components.evaluation.measure_calibration import draw_points, estimate_calibration_error


def draw(seed, rows=1_000, *, bend=1.0):
    random = np.random.default_rng(seed)
    probability = random.random(rows)
    return (random.random(rows) < probability**bend).astype(np.float64), probability


def test_curve_and_error_equal_scikit_learns_groups():
    came, probability = draw(0, bend=2.0)
    shares, means = calibration_curve(came, probability, n_bins=10, strategy="quantile")
    points = draw_points(came, probability)
    assert [point.share for point in points] == pytest.approx(shares.tolist())
    assert [point.probability for point in points] == pytest.approx(means.tolist())
    sizes = np.array([point.rows for point in points])
    assert sizes.tolist() == [100] * 10
    wanted = (np.abs(shares - means) * sizes / 1_000).sum()
    assert estimate_calibration_error(came, probability).value == pytest.approx(wanted)


def test_points_have_scipys_wilson_interval():
    point = draw_points(*draw(1))[3]
    wanted = stats.binomtest(round(point.share * point.rows), point.rows).proportion_ci(method="wilson")
    assert (point.low, point.high) == pytest.approx((wanted.low, wanted.high))


def test_equal_probabilities_stay_in_one_group():
    probability = np.repeat([0.2, 0.8], 50)
    came = (np.arange(100) % 5 == 0).astype(np.float64)
    assert [point.rows for point in draw_points(came, probability)] == [50, 50]


def test_the_interval_of_a_calibrated_model_reaches_0_though_the_number_does_not():
    found = [estimate_calibration_error(*draw(seed)) for seed in range(300)]
    assert np.mean([estimate.value for estimate in found]) > 0.02
    assert np.mean([estimate.low == 0.0 for estimate in found]) >= 0.95


def test_the_interval_of_a_bent_model_covers_the_truth():
    large = estimate_calibration_error(*draw(10_000, 1_000_000, bend=2.0)).value
    found = [estimate_calibration_error(*draw(seed, bend=2.0)) for seed in range(300)]
    assert large == pytest.approx(1 / 6, abs=0.005)  # the integral of p - p², but for the groups' width
    assert np.mean([estimate.low <= large <= estimate.high for estimate in found]) >= 0.92


@pytest.mark.parametrize("rows", [2, 5])
def test_a_handful_of_rows_has_one_group(rows):
    assert len(draw_points(np.zeros(rows), np.linspace(0.1, 0.9, rows))) == 1

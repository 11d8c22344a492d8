import numpy as np
import pyarrow as pa
import pytest

from components.data_validation.compare import jensen_shannon, measure_distance
from components.data_validation.describe import describe_batch


def batch_of(values, kind):
    types = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.int64()}
    table = pa.table({"c": pa.array(values, types.get(kind, pa.large_string()))})
    return describe_batch({"train": table}, {"c": kind})


def distance(before, now, kind):
    reference = batch_of(before, kind).statistics.datasets[0].features[0]
    return measure_distance(batch_of(now, kind), "train", "c", reference)


def entropy(shares):
    return -sum(share * np.log2(share) for share in shares if share)


def test_divergence_is_that_of_the_entropies():
    # Lin 1991, equation 4.1: H(middle) - (H(p) + H(q)) / 2
    p, q = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.1, 0.0, 0.5, 0.4])
    expected = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
    assert jensen_shannon(300 * p, 70 * q) == pytest.approx(expected, rel=1e-12)


def test_divergence_of_numbers_is_over_the_reference_quantiles():
    dice = np.random.default_rng(0)
    before, now = dice.normal(0, 1, 2000), dice.normal(1, 1, 1000)
    edges = np.sort(before)[np.arange(100, 2001, 100) - 1]  # every 5 % of 2,000 values
    edges = [-np.inf, np.nextafter(before.min(), -np.inf), *edges, np.inf]
    p, q = (np.histogram(-each, -np.array(edges)[::-1])[0] / len(each) for each in (before, now))
    expected = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
    assert distance(before, now, "float").value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", ["integer", "float"])
def test_equal_numbers_are_at_distance_zero(kind):
    values = np.random.default_rng(1).integers(0, 30, 500)
    assert distance(values, values, kind).value == 0


def test_huge_integers_are_at_distance_zero_from_themselves():
    values = (2**62 + np.random.default_rng(1).integers(0, 9, 500)).tolist()
    assert distance(values, values, "integer").value == 0


def test_one_outlier_is_no_drift():
    values = np.random.default_rng(2).normal(size=5000)
    assert distance(values, [*values[1:], 1e12], "float").value < 0.001


@pytest.mark.parametrize("moved", [6, 8])
def test_a_constant_that_moved_either_way_is_total_drift(moved):
    assert distance([7] * 50, [moved] * 50, "integer").value == 1


def test_text_is_compared_by_its_largest_change_of_a_share():
    found = distance(["a"] * 60 + ["b"] * 40, ["a"] * 30 + ["b"] * 40 + ["c"] * 30, "string")
    assert (found.value, found.at) == (pytest.approx(0.3), "a")


def test_booleans_are_compared_by_their_share():
    found = distance([1] * 25 + [0] * 75, [1] * 60 + [0] * 40, "boolean")
    assert found.value == pytest.approx(0.35)


def test_noise_bounds_what_sampling_does_to_numbers():
    # Monte Carlo: two samples of one population; the allowance must hold in nearly all draws
    dice = np.random.default_rng(3)
    pairs = [distance(dice.normal(size=200), dice.normal(size=100), "float") for _ in range(40)]
    assert sum(each.value > each.noise for each in pairs) <= 2
    assert np.mean([each.value / each.noise for each in pairs]) > 0.3  # and is no blank cheque


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (list(range(100)), "integer"),  # a key: every value once
        ([f"sentence {n}" for n in range(100)], "string"),
        ([None] * 50, "float"),
    ],
)
def test_keys_prose_and_empty_columns_are_not_compared(values, kind):
    assert distance(values, values, kind) is None

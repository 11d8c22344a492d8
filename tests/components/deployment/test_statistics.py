"""Tests of counts against published numbers and exact arithmetic, which share no code with ours."""

import random
from bisect import bisect_left
from fractions import Fraction
from math import comb

import pytest

from components.deployment.statistics import above, distance, fisher_greater, quantile, smirnov
from components.deployment.tally import Histogram


def tail(hits, of, hits_before, of_before):
    """The hypergeometric tail as a fraction of whole numbers."""
    every, found = of + of_before, hits + hits_before
    ways = sum(comb(found, k) * comb(every - found, of - k) for k in range(hits, min(found, of) + 1))
    return Fraction(ways, comb(every, of))


def test_fisher_gives_the_tea_tasting_lady_her_chances():
    """Fisher, The design of experiments (1935), chapter II: 1 and 17 of 70 ways."""
    assert fisher_greater(4, 4, 0, 4) == pytest.approx(1 / 70, rel=1e-12)
    assert fisher_greater(3, 4, 1, 4) == pytest.approx(17 / 70, rel=1e-12)


@pytest.mark.parametrize(
    "counts",
    [(0, 5, 3, 9), (3, 20, 0, 200), (7, 50, 7, 50), (1, 1, 0, 300), (40, 1000, 300, 9000), (5, 5, 5, 5)],
)
def test_fisher_is_exact(counts):
    assert fisher_greater(*counts) == pytest.approx(float(tail(*counts)), rel=1e-9)


@pytest.mark.parametrize(
    ("scaled", "chance"), [(1.0, 0.27), (1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)]
)
def test_smirnov_has_the_published_quantiles(scaled, chance):
    """Smirnov's table (1948): the distribution is 0.73 at 1.0, and 0.90, 0.95, 0.99 at the others."""
    assert smirnov(scaled * (2 / 1000) ** 0.5, 1000, 1000) == pytest.approx(chance, abs=5e-4)


def test_smirnov_finds_nothing_without_a_distance_or_without_values():
    assert smirnov(0.0, 100, 100) == 1.0
    assert smirnov(1.0, 0, 100) == 1.0


def test_distance_is_the_largest_difference_of_cumulative_shares():
    """By hand: 0.5 − 0.1 at the first bound, 0.9 − 0.4 at the second."""
    old = Histogram(bounds=(1.0, 2.0), counts=(50, 40, 10))
    new = Histogram(bounds=(1.0, 2.0), counts=(1, 3, 6))
    assert distance(new, old) == pytest.approx(0.5)
    assert distance(new, Histogram(bounds=(1.0,), counts=(5, 5))) == 0.0
    assert distance(new, Histogram(bounds=(1.0, 2.0), counts=(0, 0, 0))) == 0.0


def test_quantile_lies_within_a_bin_of_the_sorted_values():
    drawn = random.Random(0)  # noqa: S311 - values of a test
    values = sorted(drawn.expovariate(100) for _ in range(5000))
    bounds = tuple(0.0005 * 1.25**step for step in range(54))
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    for share in (0.5, 0.95, 0.99):
        found = quantile(Histogram(bounds=bounds, counts=tuple(counts)), share)
        true = values[int(share * len(values))]
        assert true / 1.25 < found < true * 1.25


def test_above_counts_from_the_next_bound_on():
    histogram = Histogram(bounds=(1.0, 2.0, 5.0), counts=(10, 20, 30, 40))
    assert above(histogram, 1.5) == (70, 2.0)
    assert above(histogram, 2.0) == (70, 2.0)
    assert above(histogram, 9.0) == (40, 5.0)

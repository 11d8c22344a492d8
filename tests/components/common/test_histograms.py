"""The bounds that servers count by, against ISO 3 and against what dashboards may name."""

import math
from itertools import pairwise

import pytest

from components.common.histograms import NUMBERS, SECONDS, SHARES, between, name_of

R20 = (
    1.00, 1.12, 1.25, 1.40, 1.60, 1.80, 2.00, 2.24, 2.50, 2.80,
    3.15, 3.55, 4.00, 4.50, 5.00, 5.60, 6.30, 7.10, 8.00, 9.00,
)  # fmt: skip


def test_bounds_are_preferred_numbers_of_iso_3():
    """The standard's table; it names 1.26 % as the largest deviation from equal ratios."""
    decade = [bound / 1000 for bound in NUMBERS if 1000 <= bound < 10_000]
    assert decade == pytest.approx(R20)
    assert [bound for bound in SECONDS if 1 <= bound < 10] == list(R20[::2])
    assert [1000 * bound for bound in SHARES if 0.001 <= bound < 0.01] == pytest.approx(R20[::4])
    assert all(abs(bound / 10 ** (place / 20) - 1) < 0.0127 for place, bound in enumerate(R20))


@pytest.mark.parametrize(("bounds", "size"), [(SECONDS, 52), (SHARES, 58), (NUMBERS, 391)])
def test_bounds_ascend_and_are_what_their_text_says(bounds, size):
    """As the label `le` shows them. Each is a series of each histogram, so that their number is a cost."""
    assert len(bounds) == size
    assert all(lower < upper for lower, upper in pairwise(bounds))
    assert [float(f"{bound:g}") for bound in bounds] == list(bounds)


def test_round_bounds_are_there_for_dashboards():
    def round_ones(powers):
        return {float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)}

    assert round_ones(range(-3, 1)) <= set(SECONDS)
    assert {round(step / 20, 2) for step in range(1, 21)} <= set(SHARES)
    assert round_ones(range(-5, 9)) <= set(NUMBERS)
    assert {-bound for bound in NUMBERS} == set(NUMBERS)


def test_counts_by_bound_become_counts_between():
    """By hand; Prometheus gives series in no order."""
    assert between({math.inf: 6.0, 0.5: 2.0, 1.0: 5.0}) == ((0.5, 1.0), (2, 3, 1))
    assert between({math.inf: 4.0}) == ((), (4,))


def test_histograms_are_named_by_output_and_class():
    assert name_of({"output": "p", "class": "late", "le": "1"}) == "p/late"
    assert name_of({"output": "p", "class": ""}) == "p"

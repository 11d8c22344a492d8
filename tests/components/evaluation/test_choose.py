"""The threshold that is cheapest: against trying them all, and Elkan's formula."""

from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.choose import find_threshold


def cost_of(positive, probability, threshold, costs):
    answered = probability >= threshold
    return costs[0] * (answered & ~positive).sum() + costs[1] * (positive & ~answered).sum()


@pytest.mark.parametrize("costs", [(1, 5), (5, 1), (1, 1), (0, 1), (1, 0)])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_cheaper(costs, seed):
    random = np.random.default_rng(seed)
    probability = np.round(random.random(60), 1)
    positive = random.random(60) < probability
    found = find_threshold(positive, probability, costs)
    every = [cost_of(positive, probability, cut, costs) for cut in np.linspace(-0.05, 1.05, 45)]
    assert cost_of(positive, probability, found, costs) == min(every)


@pytest.mark.parametrize(("costs", "wanted"), [((1, 1), 0.5), ((1, 4), 0.2), ((3, 1), 0.75)])
def test_right_probabilities_lead_to_the_threshold_of_elkan_2001(costs, wanted):
    random = np.random.default_rng(0)
    probability = random.random(400_000)
    found = find_threshold(random.random(400_000) < probability, probability, costs)
    assert found == pytest.approx(wanted, abs=0.02)


def test_never_and_always_are_possible():
    probability = np.array([0.25, 0.5, 0.75])
    assert find_threshold(np.zeros(3, bool), probability, (1, 1)) > 0.75
    assert find_threshold(np.ones(3, bool), probability, (1, 1)) <= 0.25
    assert find_threshold(np.zeros(2, bool), np.array([0.5, 1.0]), (1, 1)) > 1.0


def test_answers_that_are_not_finite_have_no_part_in_it():
    positive, probability = np.array([False, True, True]), np.array([0.25, 0.75, np.nan])
    assert find_threshold(positive, probability, (1, 1)) == 0.5

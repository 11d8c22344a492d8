"""What is found by the bounds that servers count by: their own text, read by Prometheus's own parser."""

import itertools
import re
from collections import defaultdict

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.deployment.config import DeployConfig
from components.deployment.judge import judge, uncompared
from components.deployment.tally import Histogram, Tally
from components.serving.metrics import ServingMetrics

LIMITS = DeployConfig()
MANY = 5000
NUMBER = [{"name": "p", "shape": [-1]}]
PROBABILITY = [{"name": "p", "shape": [-1], "classes": ["no", "yes"]}]
DRAWN = np.random.default_rng(0)
EVENLY = np.linspace(0, 1, MANY)


def counted(outputs=PROBABILITY, values=EVENLY, seconds=0.0034):
    """What a server tells of 5,000 requests."""
    server = ServingMetrics("m", "r", "twin", outputs)
    for _ in range(MANY):
        server.count_request("v2", "200", seconds)
    server.count_answer({}, {"p": np.asarray(values, np.float32)})
    below = defaultdict(list)
    for family in text_string_to_metric_families(server.exposition().decode()):
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                below[family.name].append((float(sample.labels["le"]), int(sample.value)))
    found = {name: histogram(*zip(*sorted(each), strict=True)) for name, each in below.items()}
    return Tally(
        requests=MANY, seconds=found["millrace_request_seconds"],
        predictions={"p": found["millrace_predictions"]},
    )  # fmt: skip


def histogram(bounds, below):
    counts = (now - before for before, now in itertools.pairwise((0, *below)))
    return Histogram(bounds=bounds[:-1], counts=tuple(counts))


def found(new, old):
    return judge(new, old, LIMITS, level=0.01)


SHIFTS = {
    "prices to one price": (NUMBER, DRAWN.uniform(210e3, 490e3, MANY), np.full(MANY, 220e3)),
    "losses to one loss": (NUMBER, DRAWN.uniform(-490, -210, MANY), np.full(MANY, -220)),
    "a rare event to none": (PROBABILITY, DRAWN.uniform(0, 0.05, MANY), np.zeros(MANY)),
    "a usual event to all": (PROBABILITY, DRAWN.uniform(0.95, 1, MANY), np.ones(MANY)),
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_shift_within_one_decade_or_twentieth_is_found(shift):
    """Kolmogorov's distance of each is above 0.9, where 0.2 is borne."""
    outputs, old, new = SHIFTS[shift]
    (reason,) = found(counted(outputs, new), counted(outputs, old))
    assert "predictions `p` are" in reason
    assert uncompared(counted(outputs, old), counted(outputs, old), LIMITS) == []


HIDDEN = {
    "one price": (np.full(MANY, 220e3), "100% of the old one's lie between 200000 and 224000, where"),
    "temperatures": (DRAWN.normal(297, 5, MANY), "100% of the old one's lie between 280 and 315, where"),
    "above all bounds": (np.full(MANY, 7e9), "100% of the old one's lie between 5e.08 and inf, where"),
    "four of five": (
        np.r_[np.full(4000, 300), np.arange(1000)], "81% of the old one's lie between 280 and 315, where"
    ),
}  # fmt: skip


@pytest.mark.parametrize("values", HIDDEN)
def test_what_lies_in_one_bin_is_not_compared_and_said_so(values):
    given, told = HIDDEN[values]
    alike = counted(NUMBER, given)
    assert found(alike, alike) == []
    (reason,) = uncompared(alike, alike, LIMITS)
    assert re.match(f"predictions `p`, of which {told}", reason)
    assert uncompared(alike, alike, DeployConfig(max_prediction_shift=1)) == []


ALIKE = {
    "nothing sold": (NUMBER, np.zeros(MANY)),
    "never": (PROBABILITY, DRAWN.uniform(0, 9e-6, MANY)),
    "always": (PROBABILITY, 1 - DRAWN.uniform(0, 9e-6, MANY)),
}


@pytest.mark.parametrize("values", ALIKE)
def test_what_lies_no_further_apart_than_a_golden_answer_may_is_the_same(values):
    """Golden answers may differ by 0.00001; a model that is sure of most rows is compared by the others."""
    alike = counted(*ALIKE[values])
    assert uncompared(alike, alike, LIMITS) == []


@pytest.mark.parametrize("usual", [0.0006, 0.0034, 0.02, 0.3, 4.0])
def test_time_on_a_cluster_is_held_to_its_ratio_within_the_bounds(usual):
    """1.5 is borne. By hand: bounds are at most 1.28 apart, so 1.5 × 1.28² = 2.46 times is always found."""
    old = counted(seconds=usual)
    for ratio in (2.46, 2.9, 10):
        assert "more than" in found(counted(seconds=ratio * usual), old)[0]
    for ratio in (1, 1.17):
        assert found(counted(seconds=ratio * usual), old) == []


def test_times_below_the_first_bound_are_the_same_whatever_their_ratio():
    """0.45 ms is 1.1 times 0.41 ms, and 0.6 ms is 1.2 times 0.5 ms: neither is 1.5 times it."""
    for usual, now in ((0.00041, 0.00045), (0.00049, 0.00055), (0.0005, 0.0006)):
        assert found(counted(seconds=now), counted(seconds=usual)) == []
    assert "more than 0.8 ms" in found(counted(seconds=0.00081), counted(seconds=0.00041))[0]


def test_times_without_any_bound_are_not_compared():
    none = Tally(requests=MANY, seconds=Histogram(counts=(MANY,)))
    assert found(none, none) == []
    assert uncompared(none, none, DeployConfig(max_prediction_shift=1)) == [
        "times to answer, which were not counted of both, by the same bounds"
    ]

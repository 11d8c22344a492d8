"""Groups: the extremes, their difference and ratio, against scikit-learn's and SciPy's numbers."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.metrics import recall_score

from components.evaluation.compare_groups import compare_groups
from components.evaluation.config import EvaluationConfig
from components.evaluation.judge import judge_model
from components.evaluation.judged import Judged
from components.evaluation.slice import measure_slices
from components.evaluation.thresholds import read_thresholds


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(0)
    region = random.choice(["north", "south", "west"], 3_000)
    labels = (random.random(3_000) < 0.4).astype(np.int64)
    shift = np.select([region == "north", region == "south"], [0.3, -0.3], 0.0)
    answers = 1 / (1 + np.exp(-(random.normal(size=3_000) + 2 * labels - 1 + shift)))
    judged = Judged(task="binary", labels=labels, answers=answers)
    slices = measure_slices(judged, pa.table({"region": region}), [("region",)], EvaluationConfig())
    return region, judged, slices


def test_the_extremes_equal_scikit_learns_recall_by_group(world):
    region, judged, slices = world
    gap = {gap.metric: gap for gap in compare_groups("region", slices.measured, "binary")}["recall"]
    answered = judged.answers >= 0.5
    recall = {
        name: recall_score(judged.labels[region == name], answered[region == name]) for name in set(region)
    }
    assert (gap.lowest, gap.highest) == ("region = south", "region = north")
    assert gap.difference.value == pytest.approx(recall["north"] - recall["south"])
    assert gap.ratio.value == pytest.approx(recall["south"] / recall["north"])
    assert gap.groups == 3


def test_the_ratio_has_scipys_interval_of_katz(world):
    region, judged, slices = world
    gap = {gap.metric: gap for gap in compare_groups("region", slices.measured, "binary")}["selection_rate"]
    answered = judged.answers >= 0.5
    south, north = answered[region == "south"], answered[region == "north"]
    wanted = stats.contingency.relative_risk(south.sum(), len(south), north.sum(), len(north))
    ends = wanted.confidence_interval(0.95)
    assert (gap.ratio.low, gap.ratio.high) == pytest.approx((ends.low, ends.high), rel=1e-3)
    error = math.sqrt(sum(group.var(ddof=1) / len(group) for group in (south, north)))
    half = (gap.difference.high - gap.difference.low) / 2
    assert half == pytest.approx(stats.norm.ppf(0.975) * error, rel=1e-9)


@pytest.mark.parametrize(
    ("limit", "passes"),
    [
        ({"max_difference": 0.5}, True),
        ({"max_difference": 0.01}, False),
        ({"min_ratio": 0.5}, True),
        ({"min_ratio": 0.99}, False),
    ],
)
def test_limits_are_held_against_the_extremes(world, limit, passes):
    _, judged, slices = world
    asked = {"groups": {"region": {"recall": limit}}, "better_than_constant": False}
    gaps = compare_groups("region", slices.measured, "binary")
    checks = judge_model(judged, read_thresholds(asked, "binary"), slices=slices, gaps=gaps)
    (check,) = [check for check in checks if check.name == "recall between groups of `region`"]
    assert check.passed is passes
    assert "region = south" in check.seen


def test_one_group_cannot_be_compared_and_a_limit_on_it_fails(world):
    _, judged, slices = world
    assert compare_groups("region", slices.measured[:1], "binary") == []
    asked = read_thresholds({"groups": {"region": {"recall": {"max_difference": 1}}}}, "binary")
    assert not judge_model(judged, asked, slices=slices)[-1].passed


def test_a_group_that_is_never_answered_positive_has_no_ratio():
    labels, answers = np.tile([0, 1], 200), np.concatenate([np.full(200, 0.1), np.full(200, 0.9)])
    judged = Judged(task="binary", labels=labels, answers=answers)
    table = pa.table({"g": ["a"] * 200 + ["b"] * 200})
    slices = measure_slices(judged, table, [("g",)], EvaluationConfig())
    gap = compare_groups("g", slices.measured, "binary")[0]
    assert (gap.metric, gap.difference.value, gap.ratio) == ("selection_rate", 1.0, None)

"""Slices: which values are measured, in which order, and that their numbers are right."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mean_squared_error, roc_auc_score

from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.slice import measure_slices


def cut(columns, labels, answers, task="regression", cuts=None, **knobs):
    table = pa.table(columns)
    judged = Judged(task=task, labels=np.asarray(labels), answers=np.asarray(answers))
    return measure_slices(judged, table, cuts or [(name,) for name in columns], EvaluationConfig(**knobs))


def test_each_slice_equals_scikit_learn_on_its_rows():
    random = np.random.default_rng(0)
    carrier = random.choice(["AA", "UA", "DL"], 500)
    labels, answers = random.integers(0, 2, 500), random.random(500)
    found = cut({"carrier": carrier}, labels, answers, "binary").measured
    assert len(found) == 3
    for one in found:
        members = carrier == one.where["carrier"]
        assert one.rows == members.sum()
        assert one.estimates["auc"].value == pytest.approx(roc_auc_score(labels[members], answers[members]))


def test_the_worst_comes_first_across_columns_and_the_unmeasurable_last():
    columns = {"a": ["x"] * 4 + ["y"] * 4 + ["z"], "b": [1, 2] * 4 + [None]}
    answers = np.array([0, 0, 0, 0, 1, 3, 1, 3, 0.0])
    found = cut(columns, np.zeros(9), answers, min_slice_rows=1).measured
    assert [next(iter(one.where.items())) for one in found] == [
        ("a", "y"), ("b", 2), ("b", 1), ("a", "x"), ("a", "z"), ("b", None),
    ]  # fmt: skip
    assert found[0].estimates["mse"].value == mean_squared_error(np.zeros(4), answers[4:8])
    assert found[-1].estimates == {}


def test_rare_values_and_values_beyond_the_most_frequent_are_counted():
    found = cut({"a": list("aaaabbbccd")}, np.zeros(10), np.ones(10), min_slice_rows=2, max_slice_values=2)
    assert [(one.where["a"], one.rows) for one in found.measured] == [("a", 4), ("b", 3)]
    assert found.left_out == {("a",): 2}


def test_null_and_nan_are_one_missing_slice_that_json_can_carry():
    column = pa.array([None, float("nan"), 1.0, 1.0, float("inf")], from_pandas=False)
    found = cut({"a": column}, np.zeros(5), np.ones(5), min_slice_rows=1).measured
    assert {one.where["a"]: one.rows for one in found} == {None: 2, 1.0: 2, "inf": 1}


def test_a_column_named_twice_is_measured_once():
    found = cut({"a": ["x", "x"]}, np.zeros(2), np.ones(2), cuts=[("a",), ("a",)], min_slice_rows=1)
    assert len(found.measured) == 1


def test_a_pair_equals_scikit_learn_on_the_rows_of_both():
    random = np.random.default_rng(1)
    carrier, month = random.choice(["AA", "UA"], 800), random.integers(1, 4, 800)
    labels, answers = random.integers(0, 2, 800), random.random(800)
    columns = {"carrier": carrier, "month": month}
    found = cut(columns, labels, answers, "binary", cuts=[("carrier", "month")], min_slice_rows=50)
    assert len(found.measured) == 6
    for one in found.measured:
        members = (carrier == one.where["carrier"]) & (month == one.where["month"])
        assert one.estimates["auc"].value == pytest.approx(roc_auc_score(labels[members], answers[members]))
    assert found.measured[0].name.startswith("carrier = ")


def test_pairs_with_too_few_rows_are_counted():
    columns = {"a": list("xxxxy"), "b": list("ppppq")}
    found = cut(columns, np.zeros(5), np.ones(5), cuts=[("a", "b")], min_slice_rows=2)
    assert [one.rows for one in found.measured] == [4]
    assert found.left_out == {("a", "b"): 1}


def test_numbers_of_many_values_are_cut_at_numpys_quartiles():
    random = np.random.default_rng(2)
    distance = random.normal(size=1_000)
    column = pa.array([None, *distance])
    found = cut({"distance": column}, np.zeros(1_001), np.ones(1_001), min_slice_rows=1).measured
    assert sorted(one.rows for one in found) == [1, 250, 250, 250, 250]
    edges = np.quantile(distance, [0.25, 0.5, 0.75])
    names = {one.where["distance"] for one in found}
    assert names >= {
        f"at most {edges[0]:.4g}",
        f"{edges[0]:.4g} to {edges[1]:.4g}",
        f"above {edges[2]:.4g}",
        None,
    }

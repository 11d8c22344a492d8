"""Slices: which values are measured, in which order, and that their numbers are right."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mean_squared_error, roc_auc_score

from components.evaluation.config import EvaluationConfig
from components.evaluation.read import LabelledRows
from components.evaluation.slice import measure_slices


def cut(columns, labels, answers, task="regression", **knobs):
    table = pa.table(columns)
    rows = LabelledRows(table=table, labels=np.asarray(labels), unlabelled=0, unknown={})
    answers = np.asarray(answers)
    return measure_slices(rows, answers, task, table.column_names, EvaluationConfig(**knobs))


def test_each_slice_equals_scikit_learn_on_its_rows():
    random = np.random.default_rng(0)
    carrier = random.choice(["AA", "UA", "DL"], 500)
    labels, answers = random.integers(0, 2, 500), random.random(500)
    found = cut({"carrier": carrier}, labels, answers, "binary").measured
    assert len(found) == 3
    for one in found:
        members = carrier == one.value
        assert one.rows == members.sum()
        assert one.estimates["auc"].value == pytest.approx(roc_auc_score(labels[members], answers[members]))


def test_the_worst_comes_first_across_columns_and_the_unmeasurable_last():
    columns = {"a": ["x"] * 4 + ["y"] * 4 + ["z"], "b": [1, 2] * 4 + [None]}
    answers = np.array([0, 0, 0, 0, 1, 3, 1, 3, 0.0])
    found = cut(columns, np.zeros(9), answers, min_slice_rows=1).measured
    assert [(one.column, one.value) for one in found] == [
        ("a", "y"), ("b", 2), ("b", 1), ("a", "x"), ("a", "z"), ("b", None),
    ]  # fmt: skip
    assert found[0].estimates["mse"].value == mean_squared_error(np.zeros(4), answers[4:8])
    assert found[-1].estimates == {}


def test_rare_values_and_values_beyond_the_most_frequent_are_counted():
    found = cut({"a": list("aaaabbbccd")}, np.zeros(10), np.ones(10), min_slice_rows=2, max_slice_values=2)
    assert [(one.value, one.rows) for one in found.measured] == [("a", 4), ("b", 3)]
    assert found.left_out == {"a": 2}


def test_null_and_nan_are_one_missing_slice_that_json_can_carry():
    column = pa.array([None, float("nan"), 1.0, 1.0, float("inf")], from_pandas=False)
    found = cut({"a": column}, np.zeros(5), np.ones(5), min_slice_rows=1).measured
    assert {one.value: one.rows for one in found} == {None: 2, 1.0: 2, "inf": 1}


def test_a_column_named_twice_is_measured_once():
    rows = LabelledRows(table=pa.table({"a": ["x", "x"]}), labels=np.zeros(2), unlabelled=0, unknown={})
    found = measure_slices(rows, np.ones(2), "regression", ["a", "a"], EvaluationConfig(min_slice_rows=1))
    assert len(found.measured) == 1

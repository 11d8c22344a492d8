"""The parameter `thresholds`: what is understood, and how a slip is named."""

from __future__ import annotations

import math

import pytest

from components.common.errors import BadInputError
from components.evaluation.thresholds import Thresholds, read_thresholds


def test_nothing_asked_is_the_default():
    assert read_thresholds({}, "binary") == Thresholds()
    assert Thresholds().as_mapping() == {
        "max_regression": 0.01,
        "max_reference_gap": None,
        "better_than_constant": True,
    }


def test_what_is_asked_is_kept_with_defaults_filled_in():
    found = read_thresholds({"mse": {"max": 10}, "max_regression": None}, "regression")
    assert found.as_mapping() == {
        "mse": {"max": 10.0},
        "max_regression": None,
        "max_reference_gap": None,
        "better_than_constant": True,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"acu": {"min": 0.7}}, "did you mean `auc`"),
        ({"mse": {"max": 1}}, "unknown key `mse`"),
        ({"auc": {"mni": 0.7}}, "thresholds.auc — did you mean `min`"),
        ({"auc": 0.7}, r"write `auc: \{min: …\}`"),
        ({"auc": {}}, "must be a mapping"),
        ({"auc": {"min": "0.7"}}, r"`auc.min` must be a finite number .* got '0.7'"),
        ({"auc": {"min": math.nan}}, "finite number"),
        ({"auc": {"min": True}}, "finite number"),
        ({"auc": {"min": 0.9, "max": 0.8}}, "`auc.min <= auc.max` must hold"),
        ({"max_regression": -0.1}, "`max_regression >= 0` must hold"),
        ({"max_regression": math.nan}, "finite number"),
        ({"better_than_constant": 0.0}, "must be true or false"),
        ({"auc": {"max_regression": -1}}, "`auc.max_regression >= 0` must hold"),
        ({"selection_rate": {"max_regression": 0.1}}, "`selection_rate` cannot get worse"),
        ({"max_reference_gap": "x"}, "finite number"),
        ({"slices": ["carrier"]}, r"write `slices: \{column: \{metric: \{min: …\}\}\}`"),
        ({"slices": {"carrier": {"acu": {"min": 1}}}}, "thresholds.slices.carrier — did you mean `auc`"),
        ({"groups": {"origin": {"auc": {"max_difference": 1}}}}, "unknown key `auc`"),
        ({"groups": {"origin": {"recall": {"min": 1}}}}, "unknown key `min`"),
        ({"groups": {"origin": {"recall": {"min_ratio": -1}}}}, "`recall.min_ratio >= 0` must hold"),
    ],
)
def test_a_slip_is_named(given, message):
    with pytest.raises(BadInputError, match=message):
        read_thresholds(given, "binary")


@pytest.mark.parametrize("text", ["0.5' or '1'=='1", "0; drop table gates", "${x}", "__import__('os')"])
def test_text_with_quotes_and_operators_is_data_and_no_threshold(text):
    with pytest.raises(BadInputError, match="must be a finite number"):
        read_thresholds({"auc": {"min": text}}, "binary")
    with pytest.raises(BadInputError, match="unknown key"):
        read_thresholds({text: {"min": 0.5}}, "binary")
    kept = read_thresholds({"slices": {text: {"auc": {"min": 0.5}}}}, "binary")
    assert kept.slices == {text: {"auc": {"min": 0.5}}}


def test_before_the_task_is_known_the_metrics_of_all_are_taken():
    assert read_thresholds({"auc": {"min": 0.7}, "mse": {"max": 1}}).bounds["mse"] == {"max": 1.0}
    with pytest.raises(BadInputError, match="did you mean `auc`"):
        read_thresholds({"acu": {"min": 0.7}})

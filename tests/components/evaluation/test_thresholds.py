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
    ],
)
def test_a_slip_is_named(given, message):
    with pytest.raises(BadInputError, match=message):
        read_thresholds(given, "binary")

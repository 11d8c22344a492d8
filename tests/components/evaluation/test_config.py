from __future__ import annotations

import re

import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.evaluation.config import EvaluationConfig, read_slices


@pytest.mark.parametrize(
    ("field", "least"),
    [
        ("golden_rows", 4),
        ("min_slice_rows", 1),
        ("max_slice_values", 1),
        ("worst_slices", 0),
        ("importance_rows", 2),
        ("importance_repeats", 0),
        ("reference_rows", 0),
        ("batch_size", 1),
    ],
)
def test_the_least_value_is_taken_and_one_less_is_named(field, least):
    assert getattr(EvaluationConfig(**{field: least}), field) == least
    with pytest.raises(BadInputError, match=rf"`{field} >= {least}` must hold, .*={least - 1} — "):
        build_config(EvaluationConfig, {field: float(least - 1)}, where="evaluation")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"costs": {"false_positive": 1}}, "write `costs: {false_positive: 1, false_negative: 5}`"),
        ({"costs": {"false_positive": -1, "false_negative": 5}}, "`costs.false_positive` must be a finite"),
        ({"costs": {"false_positive": 0, "false_negative": 0}}, "a mistake must cost something"),
        ({"costs": 5}, "must name both kinds"),
        ({"groups": "origin"}, "`groups` must be a list of columns"),
        ({"sanity": {"origin": "invarient"}}, "did you mean `invariant`"),
        ({"sanity": ["origin"]}, "`sanity` must be a mapping"),
        ({"sanity_tolerance": 2}, "`0 <= sanity_tolerance <= 1` must hold"),
        ({"min_sanity_share": -1}, "`0 <= min_sanity_share <= 1` must hold"),
        ({"intended_use": 3}, "`intended_use` must be text"),
    ],
)
def test_a_slip_is_named(options, message):
    with pytest.raises(BadInputError, match=re.escape(message)):
        build_config(EvaluationConfig, options, where="evaluation")


def test_slices_are_columns_and_pairs_each_once():
    given = ["carrier", ["carrier", "origin"], "carrier"]
    assert read_slices(given) == [("carrier",), ("carrier", "origin")]
    assert read_slices([]) == []


@pytest.mark.parametrize(
    "given", [[3.0], [[]], [["a", "b", "c"]], [["a", "a"]], [["a", 1]], "carrier", {"a": 1}, [{"a": "b"}]]
)
def test_what_is_no_slice_is_named(given):
    with pytest.raises(BadInputError, match="name columns and pairs of columns"):
        read_slices(given)

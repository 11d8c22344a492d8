"""Sanity: a formula whose behaviour is known is asked what it must and must not do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.common.errors import BadInputError
from components.evaluation.check_sanity import check_sanity
from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.predict import load_model


@pytest.fixture
def put(make_world):
    """Return a function that puts expectations to a formula of a certain weight."""

    def ask(sanity, *, task="binary", weight=1.0, carriers=("AA", "UA"), **knobs):
        model = load_model(make_world(task, weight=weight).model)
        random = np.random.default_rng(0)
        distance = pa.array(random.normal(size=200), mask=np.arange(200) < 20)
        table = pa.table(
            {"distance": distance, "carrier": random.choice(carriers, 200), "tail": ["x"] * 200}
        )
        answers = model.answer(table, batch_size=200)
        labels = random.normal(size=200) if task == "regression" else random.integers(0, 2, 200)
        judged = Judged(task=task, labels=labels, answers=answers)
        return check_sanity(model, judged, table, EvaluationConfig(sanity=sanity, **knobs))

    return ask


def test_a_column_with_an_effect_is_not_invariant(put):
    (found,) = put({"carrier": "invariant"})
    assert not found.passed
    assert found.share == pytest.approx(0.5, abs=0.1)  # the other half got the carrier that they had
    assert found.largest > 0.2


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_column_without_effect_is_invariant(put, task):
    (found,) = put({"carrier": "invariant"}, task=task, carriers=("ZZ", "YY"))
    assert (found.passed, found.share, found.largest) == (True, 1.0, 0.0)


@pytest.mark.parametrize(
    ("weight", "expectation", "passes"),
    [
        (1.0, "increasing", True),
        (1.0, "decreasing", False),
        (-1.0, "decreasing", True),
        (-1.0, "increasing", False),
        (0.0, "increasing", True),
    ],
)
def test_direction_follows_the_weight_of_the_formula(put, weight, expectation, passes):
    (found,) = put({"distance": expectation}, weight=weight)
    assert found.passed is passes
    assert found.rows == 180  # rows without a distance have nothing to rise


@pytest.mark.parametrize(("expectation", "passes"), [("invariant", True), ("increasing", False)])
def test_what_the_model_does_not_read_is_invariant_and_has_no_direction(put, expectation, passes):
    assert put({"tail": expectation})[0].passed is passes


@pytest.mark.parametrize(("tolerance", "passes"), [(0.01, False), (0.1, True)])
def test_a_small_change_counts_as_none_within_the_tolerance(put, tolerance, passes):
    (found,) = put({"distance": "invariant"}, weight=0.05, sanity_tolerance=tolerance)
    assert found.passed is passes


@pytest.mark.parametrize(
    ("sanity", "task", "message"),
    [
        ({"carier": "invariant"}, "binary", "did you mean `carrier`"),
        ({"carrier": "increasing"}, "binary", "only numbers have a direction"),
        ({"distance": "increasing"}, "multiclass", "only one answer has a direction"),
    ],
)
def test_what_cannot_be_asked_is_named(put, sanity, task, message):
    with pytest.raises(BadInputError, match=message):
        put(sanity, task=task)

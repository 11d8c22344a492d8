"""Permutation importance against scikit-learn's, and against what is known of a formula."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance

from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.permute import measure_importance
from components.evaluation.predict import load_model

CARRIERS = np.array(["AA", "UA", "ZZ"])


class Estimator(BaseEstimator):
    """The tests' formula with scikit-learn's interface; inputs are distance and the carrier's number."""

    def fit(self, inputs, labels):
        return self

    def predict(self, inputs):
        return inputs[:, 0] + np.array([1.0, -1.0, 0.0])[inputs[:, 1].astype(int)]


@pytest.fixture
def world(make_world):
    import pyarrow as pa

    random = np.random.default_rng(0)
    inputs = np.column_stack([random.normal(size=4_000), random.integers(0, 3, 4_000)])
    labels = Estimator().predict(inputs) + random.normal(size=4_000)
    columns = {"distance": inputs[:, 0], "carrier": CARRIERS[inputs[:, 1].astype(int)]}
    table = pa.table({**columns, "noise": random.normal(size=4_000)})
    model = load_model(make_world("regression").model)
    judged = Judged(task="regression", labels=labels, answers=model.answer(table, batch_size=4_000))
    return model, judged, table, inputs


def test_importances_equal_scikit_learns_up_to_the_permutations(world):
    model, judged, table, inputs = world
    found = measure_importance(model, judged, table, EvaluationConfig(importance_repeats=20))
    peer = permutation_importance(
        Estimator(), inputs, judged.labels, scoring="neg_mean_squared_error", n_repeats=20, random_state=1
    )
    assert [one.column for one in found] == ["distance", "carrier"]
    assert [one.harm.value for one in found] == pytest.approx(peer.importances_mean.tolist(), rel=0.03)


def test_the_harm_to_a_linear_model_is_twice_the_variance_it_explains(world):
    # Gregorutti, Michel and Saint-Pierre (2017): 2 weight² variance; here both are 1.
    model, judged, table, _ = world
    found = measure_importance(model, judged, table, EvaluationConfig())
    assert found[0].harm.low < 2.0 < found[0].harm.high


def test_a_sample_bounds_the_rows_and_the_numbers_repeat(world):
    model, judged, table, _ = world
    config = EvaluationConfig(importance_rows=500)
    one, two = (measure_importance(model, judged, table, config) for _ in range(2))
    assert [entry.harm.bounds() for entry in one] == [entry.harm.bounds() for entry in two]
    assert len(one[0].harm.influence) == 500


def test_no_repeats_is_no_importance(world):
    model, judged, table, _ = world
    assert measure_importance(model, judged, table, EvaluationConfig(importance_repeats=0)) == []

"""Which indices get a vector of their own; expected places are counted by hand."""

import numpy as np
import pytest

from components.training.fit import Problem, fit_model
from components.training.hyperparameters import Hyperparameters
from components.training.read_arrays import Arrays, Layout
from components.training.share_vectors import share_vectors


def test_rare_and_unseen_indices_of_a_column_share_its_first_vector():
    indices = np.array([[0, 2]] * 300 + [[1, 0]] * 2 + [[3, 1]] * 98, np.int32)
    shared = share_vectors(indices, [4, 3], 3)
    assert shared.place.tolist() == [2, 0, 0, 3, 1, 4, 5]  # 1 of the first is rare, 2 never came
    assert shared.size == 6
    assert shared.place.dtype == np.int32


@pytest.mark.parametrize(("rows", "own"), [(400, 2), (300, 3), (30, 3)])
def test_of_few_rows_a_hundredth_is_enough(rows, own):
    """Three rows of the second index: 1 % of 300 and more of 30, but not of 400."""
    indices = np.array([[0]] * (rows - 8) + [[1]] * 3 + [[2]] * 5, np.int32)
    assert share_vectors(indices, [3], 20).size == 1 + own


@pytest.mark.parametrize(("min_count", "told_apart"), [(1, True), (20, False)])
def test_values_of_a_few_rows_are_not_told_apart_nor_from_those_never_seen(min_count, told_apart):
    """4,000 rows, and a column that has each value four times."""
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(4_000, 1)).astype(np.float32)
    indices = draw.integers(1, 1_000, size=(4_000, 1)).astype(np.int32)
    rows = Arrays({"numbers": numbers, "indices": indices}, (numbers[:, 0] > 0).astype(np.float32))
    point = Hyperparameters(epochs=1, units=8, layers=1, members=1, min_count=min_count)
    model = fit_model(Problem(Layout(["a"], ["b"], [1_001]), "regression", [], point, 0), rows, rows).model
    others = np.full_like(indices, 1_000)
    answers = [np.asarray(model({"numbers": numbers, "indices": each})) for each in (indices, others)]
    assert bool(np.any(answers[0] != answers[1])) == told_apart

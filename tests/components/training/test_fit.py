"""Packing, measuring and small fits; expected values by hand and by scikit-learn."""

import numpy as np
import pytest
import tensorflow as tf

from components.common.artifacts import TransformSummary
from components.common.errors import BadInputError
from components.training import fit
from components.training.build import build_model
from components.training.fit import Problem, fit_model
from components.training.hyperparameters import Hyperparameters
from components.training.measure import measure_answers
from components.training.read_arrays import Arrays, Layout, lay_out, pack, read_arrays
from components.training.share_vectors import Vectors

LAYOUT = Layout(["a"], ["b", "c"], [3, 4])


def test_features_are_packed_by_encoding():
    features = [
        {"name": "b", "column": "b", "encoding": "index", "size": 3},
        {"name": "a", "column": "a", "encoding": "number", "size": 1},
        {"name": "c", "column": "c", "encoding": "index", "size": 4},
    ]
    summary = TransformSummary(
        task="binary", label="y", classes=[], inputs={}, features=features, dropped={}
    )
    assert lay_out(summary) == LAYOUT
    columns = {"a": np.array([0.5]), "b": np.array([2]), "c": np.array([1])}
    packed = pack(columns, LAYOUT)
    assert packed["numbers"].tolist() == [[0.5]]
    assert packed["indices"].tolist() == [[2, 1]]


def test_transformed_columns_that_lack_are_named(prepared):
    with pytest.raises(BadInputError, match="nowhere"):
        read_arrays(prepared("binary").transformed_examples, "train", Layout(["nowhere"], [], []))


@pytest.mark.parametrize("form", ["mlp", "linear", "wide_and_deep"])
@pytest.mark.parametrize("layout", [Layout(["a"], [], []), Layout([], ["b"], [2])])
def test_one_kind_of_feature_is_enough_and_few_rows_are_repeated(layout, form):
    columns = {"a": np.array([-1.0, 1.0] * 10), "b": np.array([0, 1] * 10)}
    split = Arrays(pack(columns, layout), np.array([0.0, 1.0] * 10, np.float32))
    point = Hyperparameters(form=form, epochs=4, units=8, learning_rate=0.2)
    fitted = fit_model(Problem(layout, "binary", ["no", "yes"], point, 1), split, split)
    assert fitted.metrics["auc"] == 1.0
    assert fitted.metrics["log_loss"] < 0.1


@pytest.mark.parametrize("form", ["mlp", "wide_and_deep"])
def test_members_learn_apart_and_answer_together(form):
    """The oracle is NumPy: gradients of one member's loss, and the mean of what all members say."""
    point = Hyperparameters(form=form, units=5, layers=1)
    vectors = Vectors(np.arange(sum(LAYOUT.sizes), dtype=np.int32), sum(LAYOUT.sizes))
    model = build_model(LAYOUT, "multiclass", 4, point, None, vectors, members=3)
    rows = {"numbers": np.ones((6, 1), np.float32), "indices": np.tile([[0, 1], [2, 3]], (3, 1))}
    with tf.GradientTape() as tape:
        each = model(rows, training=True)
        second = tf.reduce_sum(each[6:12])
    assert each.shape == (18, 4)
    together = np.reshape(each, (3, 6, 4)).mean(axis=0)
    np.testing.assert_allclose(model(rows, training=False), together, rtol=1e-5, atol=1e-7)
    assert len({row.tobytes() for row in np.reshape(each, (3, 6, 4))}) == 3
    kernel = next(weight for weight in model.trainable_variables if tuple(weight.shape)[::2] == (3, 5))
    gradient = np.asarray(tape.gradient(second, kernel.value))
    assert [bool(np.any(one)) for one in gradient] == [False, True, False]


def test_many_rows_have_fewer_members(monkeypatch):
    columns = {"a": np.array([-1.0, 1.0] * 10), "b": np.array([0, 1] * 10), "c": np.array([0, 1] * 10)}
    split = Arrays(pack(columns, LAYOUT), np.array([0.0, 1.0] * 10, np.float32))
    point = Hyperparameters(epochs=1, units=8, layers=1, members=4)
    counts = []
    for most in (1_000, 45, 1):
        monkeypatch.setattr(fit, "_MEMBER_ROWS", most)
        model = fit_model(Problem(LAYOUT, "binary", ["no", "yes"], point, 1), split, split).model
        counts.append(model.get_weights()[-1].size)  # biases of the last layer: one for each
    assert counts == [4, 2, 1]


def test_binary_metrics_by_hand():
    found = measure_answers(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.8]), "binary")
    assert found["auc"] == 0.75  # three of four pairs in order
    assert found["accuracy"] == 0.5
    assert np.isclose(found["log_loss"], -np.mean(np.log([0.9, 0.4, 0.4, 0.8])))


def test_multiclass_metrics_by_hand():
    answers = np.array([[0.7, 0.2, 0.1], [0.2, 0.3, 0.5]], np.float32)
    found = measure_answers(np.array([0, 1]), answers, "multiclass")
    assert found["accuracy"] == 0.5
    assert np.isclose(found["log_loss"], -np.mean(np.log([0.7, 0.3])))


def test_regression_metrics_by_hand():
    found = measure_answers(np.array([1.0, 3.0]), np.array([2.0, 5.0]), "regression")
    assert (found["mse"], found["mae"], found["r2"]) == (2.5, 1.5, -1.5)
    assert np.isclose(found["rmse"], 2.5**0.5)


def test_a_single_class_has_no_auc():
    with pytest.raises(BadInputError, match="no AUC exists"):
        measure_answers(np.array([1.0, 1.0]), np.array([0.5, 0.6]), "binary")

"""Answering as a server would, and naming a model that cannot."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tensorflow as tf

from components.common.artifacts import (
    ModelRecord,
    Signature,
    read_signature,
    write_model_record,
    write_signature,
)
from components.common.errors import BadInputError
from components.evaluation.predict import load_model

COLUMNS = {"distance": [0.5, None, -3.0], "carrier": ["AA", "UA", "??"]}


def test_answers_equal_the_formula_for_any_batch_size(make_world):
    model = load_model(make_world().model)
    wanted = 1 / (1 + np.exp(-np.array([1.5, -1.0, -3.0])))
    for batch_size in (1, 2, 100):
        assert model.answer(COLUMNS, batch_size=batch_size) == pytest.approx(wanted, rel=1e-6)


def test_a_model_without_saved_graph_is_named(make_world):
    world = make_world()
    shutil.rmtree(world.model / "1")
    with pytest.raises(BadInputError, match=r"not a SavedModel that serves: .* train the model again"):
        load_model(world.model)


def test_a_model_that_breaks_its_signature_is_named(make_world):
    world = make_world()
    promised = read_signature(world.model)
    outputs = [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]
    write_signature(world.model, Signature(inputs=promised.inputs, outputs=outputs))
    with pytest.raises(BadInputError, match=r"breaks its signature .* export `prediction`"):
        load_model(world.model).answer(COLUMNS, batch_size=10)


def test_a_model_that_fails_for_a_value_is_named_with_tensorflow_s_reason(tmp_path):
    module = tf.Module()
    module.serve = tf.function(
        lambda x: {"prediction": tf.strings.to_number(x)},
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "1"), {"serving_default": module.serve})
    inputs = [{"name": "x", "kind": "string", "datatype": "BYTES", "optional": False, "example": "1"}]
    outputs = [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]
    write_signature(tmp_path, Signature(inputs=inputs, outputs=outputs))
    record = ModelRecord(
        task="regression", label="y", classes=[], trial=0, hyperparameters={}, validation={}, digests={}
    )
    write_model_record(tmp_path, record)
    told = (
        "fails for a value: StringToNumberOp could not correctly convert string: seven — .*preprocessing_fn"
    )
    with pytest.raises(BadInputError, match=told):
        load_model(tmp_path).answer({"x": ["1", "seven"]}, batch_size=10)


def test_a_required_column_that_is_absent_is_named(make_world):
    with pytest.raises(BadInputError, match="input `carrier`"):
        load_model(make_world().model).answer({"distance": [1.0]}, batch_size=10)

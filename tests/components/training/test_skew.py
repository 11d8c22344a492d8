"""Train/serve skew: the same raw rows through training's path and through the exported model alone."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.common.artifacts import Signature, read_transform
from components.common.encoding import encode_columns
from components.common.saved_models import load_serving
from components.training.export import OUTPUTS, describe_signature, export_folder
from components.training.fit import Problem, answer_rows, fit_model
from components.training.hyperparameters import read_hyperparameters
from components.training.read_arrays import lay_out, read_arrays

QUICK = {"epochs": 2, "units": 8, "embedding_dimension": 4}


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def trained(request, prepared, tmp_path_factory):
    inputs = prepared(request.param)
    summary = read_transform(inputs.transform_graph)
    layout, point = lay_out(summary), read_hyperparameters(QUICK, where="test")
    train, rows = (read_arrays(inputs.transformed_examples, split, layout) for split in ("train", "eval"))
    fitted = fit_model(Problem(layout, summary.task, summary.classes, point, 0), train, rows)
    names = list(summary.inputs)
    signature = describe_signature(summary, dict.fromkeys(names, True), {name: [0] for name in names})
    folder = tmp_path_factory.mktemp("skew")
    export_folder(fitted, summary, inputs.transform_graph, signature, folder=folder)
    return inputs, summary, fitted, rows, signature, folder / "1"


def raw_rows(inputs, signature: Signature):
    """The raw rows of the eval split as a client would send them: lists of Python values."""
    table = pq.read_table(inputs.transformed_examples.parent / "examples" / "eval")
    return encode_columns({name: table[name].to_pylist() for name in table.column_names}, signature)


def test_the_exported_transform_gives_the_features_that_were_trained_on(trained):
    inputs, summary, _, _, signature, model = trained
    written = pq.read_table(inputs.transformed_examples / "eval")
    sent = {name: tf.constant(values) for name, values in raw_rows(inputs, signature).items()}
    found = tf.saved_model.load(str(model)).transform(sent)
    for feature in summary.features:
        values = written[feature["name"]].to_numpy()
        np.testing.assert_allclose(found[feature["name"]].numpy(), values, rtol=0, atol=1e-6)


def test_the_exported_model_predicts_what_the_trained_network_does(trained):
    inputs, summary, fitted, rows, signature, model = trained
    expected = answer_rows(fitted.model, rows.inputs, summary.task, fitted.scale)
    found = load_serving(model)(raw_rows(inputs, signature))[OUTPUTS[summary.task]]
    assert len(found) == 200
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)

"""Near 0, where differences lose their digits, a twin has those of the SavedModel that is served.

The SavedModel is asked as a server asks it, so TensorFlow's optimiser has rewritten it. Only what is
relative counts.
"""

import numpy as np
import pytest
import tensorflow as tf

from components.common.twin.run import Twin
from components.evaluation.prove_twin import prove_program
from tests.components.evaluation.answering import answering

GRID = np.float32([
    sign * digits * 10.0**decade for decade in range(-7, 2) for digits in (1, 1.37, 3.3) for sign in (1, -1)
])  # fmt: skip


def pair(x):
    return tf.stack([x, x * 2.0], axis=1)


ALIKE = {
    "log(x + 1)": lambda x: tf.math.log(x + 1.0),
    "log(1 + x)": lambda x: tf.math.log(1.0 + x),
    "log(1 + e^x)": lambda x: tf.math.log(1.0 + tf.exp(x)) / tf.exp(x),
    "log(x + 1) / x": lambda x: tf.math.log(x + 1.0) / x,
    "log1p(x)": tf.math.log1p,
    "log(x)": tf.math.log,
    "log of columns": lambda x: tf.reduce_sum(tf.math.log(pair(x) + 1.0), axis=1),
    "log softmax": lambda x: tf.nn.log_softmax(pair(x))[:, 0],
    "log(softmax)": lambda x: tf.math.log(tf.nn.softmax(pair(x)))[:, 0],
    "e^x - 1": lambda x: tf.exp(x) - 1.0,
    "e^-x - 1": lambda x: tf.exp(-x) - 1.0,
    "sqrt(e^x - 1)": lambda x: tf.sqrt(tf.exp(x) - 1.0),
    "expm1(x)": tf.math.expm1,
    "e^x": tf.exp,
    "elu by hand": lambda x: tf.where(x < 0, tf.exp(x) - 1.0, x),
    "1 + x": lambda x: 1.0 + x,
    "x - 1": lambda x: x - 1.0,
    "x * 10 / 5": lambda x: x * 10.0 / 5.0,
    "x / 3 * 3": lambda x: x / 3.0 * 3.0,
    "x / 3": lambda x: x / 3.0,
    "3 (x - 2)": lambda x: (x - 2.0) * 3.0,
    "x^-0.5": lambda x: tf.pow(x, -0.5),
    "x^0.5": lambda x: tf.pow(x, 0.5),
    "x^-1": lambda x: tf.pow(x, -1.0),
    "x^3": lambda x: tf.pow(x, 3.0),
    "x^(1/3)": lambda x: tf.pow(x, 1 / 3),
    "x / sqrt(x)": lambda x: x / tf.sqrt(x),
    "sqrt(1 / x)": lambda x: tf.sqrt(1.0 / x),
    "(x - 1)^2": lambda x: tf.square(x - 1.0),
    "x x - x": lambda x: x * x - x,
    "0 - (0 - x)": lambda x: tf.negative(tf.negative(x)),
    "x + x + x": lambda x: x + x + x,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "softplus": tf.math.softplus,
    "softsign": tf.nn.softsign,
    "silu": tf.nn.silu,
    "sin": tf.sin,
    "atan": tf.atan,
    "erf": tf.math.erf,
    "sqrt(x x + 1) - 1": lambda x: tf.sqrt(x * x + 1.0) - 1.0,
    "sums": lambda x: tf.reduce_sum(pair(x), axis=1) - x,
}


@pytest.mark.parametrize("name", ALIKE)
def test_two_operations_are_answered_alike_to_their_digits(name, tmp_path):
    model, program = answering(ALIKE[name], tf.float32, "FP32", tmp_path)
    twin = Twin(program)
    for rows in (GRID, *GRID.reshape(-1, 1)):
        wanted = model.serve({"x": rows})["prediction"]
        found = twin.predict({"x": rows})["prediction"]
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=np.finfo(np.float32).tiny)


@pytest.mark.parametrize("function", [tf.nn.elu, tf.nn.selu])
def test_exponential_units_are_answered_alike_one_by_one(function, tmp_path):
    """Of whole groups of rows TensorFlow has other digits than of one."""
    model, program = answering(function, tf.float32, "FP32", tmp_path)
    for rows in GRID.reshape(-1, 1):
        wanted, found = model.serve({"x": rows}), Twin(program).predict({"x": rows})
        np.testing.assert_allclose(found["prediction"], wanted["prediction"], rtol=1e-5)


BY_NATURE = {  # TensorFlow folds constants, and some of its kernels are more exact than what is written
    "(x - 2) + 2": lambda x: ((x - 2.0) + 2.0) / x,
    "1 - (1 - x)": lambda x: (1.0 - (1.0 - x)) / x,
    "(1 - x) - 1": lambda x: ((1.0 - x) - 1.0) / x,
    "log(x + 2 - 1)": lambda x: tf.math.log(x + 2.0 - 1.0) / x,
    "log((exp(x) - 1) + 1)": lambda x: tf.math.log((tf.exp(x) - 1.0) + 1.0) / x,  # at x = -30
}


@pytest.mark.parametrize("name", BY_NATURE)
def test_what_is_answered_otherwise_by_nature_is_not_proven(name, tmp_path):
    model, program = answering(BY_NATURE[name], tf.float32, "FP32", tmp_path)
    encoded = {"x": np.linspace(1, 50, 300).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    proof = prove_program(program, model, encoded, answers, batch_size=4096)
    assert "rows are answered otherwise" in str(proof.reason)

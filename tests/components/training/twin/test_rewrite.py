"""What TensorFlow's optimiser makes of a graph before it serves it is what a twin computes."""

import pytest
import tensorflow as tf

from tests.components.training.twin.test_rules import COLOURS

SMALL = [1e-7, -1.37e-6, 3.3e-5, -1e-4, 1.37e-3, -0.01, 0.1, -0.5, 0.0, 1.0, 30.0]
TWO = tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.float32)


@tf.function(input_signature=TWO[:1], autograph=False)
def more(x):
    return x + 1.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: tf.math.log(x + 1.0),
        lambda x, y: tf.math.log(1.0 + x),
        lambda x, y: tf.math.log(tf.add(x, [1.0])),
        lambda x, y: tf.math.log(tf.raw_ops.Add(x=x, y=1.0)),
        lambda x, y: tf.math.log(x * 2.0 + 1.0),
        lambda x, y: tf.math.log(x + 1.0) * (x + 1.0),
        lambda x, y: tf.math.log(tf.identity(x + 1.0)),
        lambda x, y: tf.math.log(tf.stop_gradient(x + 1.0)),
        lambda x, y: tf.math.log(more(x)),
        lambda x, y: tf.math.log(tf.stack([x, y], 1) + 1.0)[:, 0],
        lambda x, y: tf.math.log(tf.add(tf.stack([x, y], 1), [1.0, 1.0]))[:, 1],
        lambda x, y: tf.cast(tf.math.log(tf.cast(x, tf.float64) + 1.0), tf.float32),
        lambda x, y: tf.math.log(1.0 + tf.exp(x)),
        lambda x, y: (lambda much: tf.math.log(much + 1.0) * much)(x - 0.5 * x),
    ],
)
def test_logarithm_of_what_is_1_more_is_the_one_that_is_exact_near_0(derive, function):
    found = derive(function, x=tf.float32, y=tf.float32)
    assert "Log1p" in found.operations
    assert "Log" not in found.operations
    found.assert_equal(x=SMALL, y=SMALL[::-1], absolute=0.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: tf.exp(x) - 1.0,
        lambda x, y: tf.exp(x) - [1.0],
        lambda x, y: tf.exp(-x) - 1.0,
        lambda x, y: tf.stop_gradient(tf.exp(x)) - 1.0,
        lambda x, y: (tf.exp(x) - 1.0) * tf.exp(x),
        lambda x, y: tf.where(x < 0, tf.exp(x) - 1.0, x),
        lambda x, y: (tf.exp(tf.stack([x, y], 1)) - [1.0, 1.0])[:, 0],
        lambda x, y: tf.cast(tf.exp(tf.cast(x, tf.float64)) - 1.0, tf.float32),
    ],
)
def test_power_less_1_is_the_one_that_is_exact_near_0(derive, function):
    found = derive(function, x=tf.float32, y=tf.float32)
    assert "Expm1" in found.operations
    assert "Sub" not in found.operations
    found.assert_equal(x=SMALL, y=SMALL[::-1], absolute=0.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: tf.math.log(x + 2.0),
        lambda x, y: tf.math.log(x - (-1.0)),
        lambda x, y: tf.math.log(x + 1.0 + y),
        lambda x, y: tf.math.log((x - y * 1.0001) + 1.0),
        lambda x, y: tf.math.log((x - 0.5) + 1.0),
        lambda x, y: tf.math.log(x + tf.ones_like(x)),
        lambda x, y: tf.math.log(tf.add(x, [[1.0]]))[0],
        lambda x, y: tf.math.log(tf.add(tf.stack([x, y], 1), [1.0, 2.0]))[:, 0],
        lambda x, y: tf.math.log(tf.stack([x + 1.0, y + 1.0], 1))[:, 0],
        lambda x, y: tf.math.log(tf.add(tf.reshape(x, [-1, 1]), [1.0, 1.0]))[:, 0],
        lambda x, y: tf.math.log(tf.nn.bias_add(tf.stack([x, y], 1), [1.0, 1.0]))[:, 0],
    ],
)
def test_other_logarithms_stay(derive, function):
    found = derive(function, x=tf.float32, y=tf.float32)
    assert "Log1p" not in found.operations
    found.assert_equal(x=SMALL[:8], y=SMALL[7::-1], absolute=0.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: tf.exp(x) - 2.0,
        lambda x, y: tf.exp(x) + (-1.0),
        lambda x, y: 1.0 - tf.exp(x),
        lambda x, y: tf.exp(x) - tf.ones_like(x),
        lambda x, y: (tf.exp(x) - [[1.0]])[0],
        lambda x, y: (tf.stack([tf.exp(x), tf.exp(y)], 1) - 1.0)[:, 0],
    ],
)
def test_other_differences_of_a_power_stay(derive, function):
    found = derive(function, x=tf.float32, y=tf.float32)
    assert "Expm1" not in found.operations
    found.assert_equal(x=SMALL, y=SMALL[::-1], absolute=1e-6)  # the digits of `exp` are another matter


NANS = [float("nan"), 0.5, 1.0, 2.0, float("nan"), 3e38]


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (lambda x: tf.where(tf.logical_not(x < 1.0), 1.0, 2.0), "GreaterEqual"),
        (lambda x: tf.where(tf.logical_not(x <= 1.0), 1.0, 2.0), "Greater"),
        (lambda x: tf.where(tf.logical_not(x > 1.0), 1.0, 2.0), "LessEqual"),
        (lambda x: tf.where(tf.logical_not(tf.identity(x >= 1.0)), 1.0, 2.0), "Less"),
        (
            lambda x: tf.where(tf.logical_not(x < 1.0), tf.cast(tf.logical_not(x < 1.0), tf.float32), 2.0),
            "GreaterEqual",
        ),
    ],
)
def test_a_comparison_that_is_denied_is_the_opposite_one_of_nan_too(derive, function, other):
    found = derive(function, x=tf.float32)
    assert other in found.operations
    assert "LogicalNot" not in found.operations
    found.assert_equal(x=NANS)


def test_a_comparison_that_is_taken_twice_is_denied_as_it_is_written(derive):
    def function(x):
        return tf.where(tf.logical_not(x < 1.0), 1.0, 2.0) + tf.cast(x < 1.0, tf.float32)

    found = derive(function, x=tf.float32)
    assert "LogicalNot" in found.operations
    found.assert_equal(x=NANS)
    found = derive(lambda x: {"y": tf.logical_not(x < 1.0), "z": x < 1.0}, x=tf.float32)
    assert "LogicalNot" in found.operations
    found.assert_equal(x=NANS)


def test_logarithm_of_a_softmax_that_nothing_else_takes_is_one_operation(derive):
    def function(x):
        return tf.math.log(tf.nn.softmax(tf.stack([x, x * 3.0], 1)))

    found = derive(function, x=tf.float32)
    assert "LogSoftmax" in found.operations
    found.assert_equal(x=[-200.0, 1e20, 0.0, 1e-5], absolute=0.0)
    found = derive(lambda x: function(x) * tf.nn.softmax(tf.stack([x, x * 3.0], 1)), x=tf.float32)
    assert "LogSoftmax" not in found.operations
    found.assert_equal(x=[-20.0, 1.0, 0.0, 1e-5])


def test_a_variable_of_ones_is_no_constant(derive):
    one = tf.Variable(1.0)
    found = derive(lambda x: tf.math.log(x + one), x=tf.float32)
    assert found.operations == ["AddV2", "Log"]
    found.assert_equal(x=SMALL, absolute=0.0)


def test_entries_of_tables_are_computed_as_they_are_served(derive):
    found = derive(
        lambda c: tf.math.log(tf.cast(COLOURS.lookup(c) + 1, tf.float32) * 1e-5 + 1.0), c=tf.string
    )
    assert found.operations == ["LookupTableFindV2"]
    found.assert_equal(c=[b"red", b"green", b"blue", b""], absolute=0.0)

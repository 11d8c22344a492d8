"""Each rule makes a program smaller, and leaves its answers as TensorFlow gives them."""

import numpy as np
import pytest
import tensorflow as tf

FLOATS = [1.5, -2.25, float("nan"), 0.0, 3e38]
TEXTS = [b"red", b"blue", b"\x00", b"", b"mauve"]


def table(keys, values, default):
    initialiser = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values))
    return tf.lookup.StaticHashTable(initialiser, default)


COLOURS = table([b"red", b"green", b"blue"], np.array([2, 3, 4]), -1)


def test_constants_are_computed_beforehand(derive):
    found = derive(lambda x: x * (tf.sqrt(tf.constant(4.0)) + 1.0), x=tf.float32)
    assert found.operations == ["Mul"]
    assert found.program.constants["c0"] == 3.0
    found.assert_equal(x=FLOATS)


def test_what_changes_nothing_is_left_out(derive):
    def function(x):
        return tf.cast(tf.stop_gradient(tf.reshape(tf.identity(x), [-1])), tf.float32) + 1.0

    found = derive(function, x=tf.float32)
    assert found.operations == ["AddV2"]
    found.assert_equal(x=FLOATS)


def test_computed_shapes_are_stated(derive):
    def function(x):
        wide = tf.stack([x, x + 1.0], axis=1)
        rows = tf.shape(wide)[0]
        return tf.reshape(tf.expand_dims(tf.expand_dims(wide, 1), 1), [rows, 1, 2])

    found = derive(function, x=tf.float32)
    assert "Shape" not in found.operations
    assert found.operations.count("Reshape") == 1
    found.assert_equal(x=FLOATS)


def test_leaving_out_axes_of_one_entry_is_a_reshape(derive):
    found = derive(lambda x: tf.reshape(x * 2.0, [-1, 1])[:, 0], x=tf.float32)
    assert "StridedSlice" not in found.operations
    found.assert_equal(x=FLOATS)


def test_slices_that_leave_rows_out_or_turn_them_stay(derive):
    for function in (lambda x: tf.reshape(x, [-1, 1])[1:, 0], lambda x: tf.reshape(x, [-1, 1])[::-1, 0]):
        assert "StridedSlice" in derive(function, x=tf.float32).operations


def test_a_full_array_beside_another_is_one_entry(derive):
    found = derive(lambda x: tf.where(x > 0, x, tf.zeros_like(x)), x=tf.float32)
    assert found.operations == ["Greater", "SelectV2"]
    found.assert_equal(x=FLOATS)


def test_a_full_array_by_itself_stays(derive):
    found = derive(lambda x: tf.zeros_like(x) + 1.0, x=tf.float32)
    found.assert_equal(x=FLOATS)


def test_a_key_that_is_there_twice_is_one_entry_and_another_answer_to_it_is_refused_by_tensorflow(derive):
    twice = table([b"red", b"red", b"blue"], np.array([2, 2, 3]), -1)
    found = derive(lambda c: twice.lookup(c), c=tf.string)
    (known,) = found.program.tables.values()
    assert known.keys.tolist() == [b"blue", b"red"]
    found.assert_equal(c=TEXTS)
    with pytest.raises(tf.errors.FailedPreconditionError, match="different value for same key"):
        table([b"red", b"red"], np.array([2, 3]), -1)


def test_what_follows_a_lookup_is_in_the_table(derive):
    found = derive(lambda c: tf.cast(COLOURS.lookup(c) * 2 + 1, tf.float32), c=tf.string)
    assert found.operations == ["LookupTableFindV2"]
    (known,) = found.program.tables.values()
    entries = dict(zip(known.keys.tolist(), known.values.tolist(), strict=True))
    assert entries == {b"blue": 9.0, b"green": 7.0, b"red": 5.0}
    found.assert_equal(c=TEXTS)


def test_a_key_with_an_answer_of_its_own_becomes_an_entry(derive):
    for function in (
        lambda c: tf.where(c != b"\x00", COLOURS.lookup(c) + 2, tf.zeros_like(COLOURS.lookup(c))),
        lambda c: tf.where(tf.equal(c, b"\x00"), tf.constant(0, tf.int64), COLOURS.lookup(c) + 2),
        lambda c: tf.where(tf.not_equal(c, b"red"), COLOURS.lookup(c), tf.constant(9, tf.int64)),
    ):
        found = derive(function, c=tf.string)
        assert found.operations == ["LookupTableFindV2"]
        found.assert_equal(c=TEXTS)


def test_another_column_decides_nothing_about_a_lookup(derive):
    found = derive(
        lambda c, d: tf.where(d != b"\x00", COLOURS.lookup(c), tf.constant(0, tf.int64)),
        c=tf.string, d=tf.string,
    )  # fmt: skip
    assert sorted(found.operations) == ["LookupTableFindV2", "NotEqual", "SelectV2"]
    found.assert_equal(c=TEXTS, d=TEXTS[::-1])


def test_what_follows_lookups_side_by_side_is_in_their_tables(derive):
    def function(c, d):
        side = tf.stack([COLOURS.lookup(c), COLOURS.lookup(d)], axis=1)
        return tf.reduce_sum(tf.cast(side, tf.int32) + tf.constant([10, 20]), axis=1)

    found = derive(function, c=tf.string, d=tf.string)
    assert found.operations == ["LookupTableFindV2", "LookupTableFindV2", "Pack", "Sum"]
    found.assert_equal(c=TEXTS, d=TEXTS[::-1])


def test_equal_columns_are_one_step(derive):
    def scale(x, mean):
        return tf.where(tf.math.is_finite(x), (x - mean) / 2.0, tf.zeros_like(x))

    def function(x, y, z):
        return tf.reduce_sum(tf.stack([scale(x, 1.0), scale(y, 2.0), scale(z, 3.0)], axis=1), axis=1)

    found = derive(function, x=tf.float32, y=tf.float32, z=tf.float32)
    assert sorted(found.operations) == ["IsFinite", "Pack", "RealDiv", "SelectV2", "Sub", "Sum"]
    found.assert_equal(x=FLOATS, y=FLOATS[::-1], z=[1.0, 2.0, 3.0, float("nan"), 5.0])


def test_columns_among_others_are_one_step_and_keep_their_places(derive):
    def function(x, y, z, c):
        missing = [tf.cast(tf.math.is_nan(one), tf.float32) for one in (x, y, z)]
        lookup = tf.cast(COLOURS.lookup(c), tf.float32)
        stacked = [missing[0], tf.exp(x / 100.0), lookup, missing[1], missing[2]]
        return tf.reduce_sum(tf.stack(stacked, axis=1) * [1.0, 10.0, 100.0, 1e3, 1e4], axis=1)

    found = derive(function, x=tf.float32, y=tf.float32, z=tf.float32, c=tf.string)
    assert found.operations.count("IsNan") == 1
    assert {"ConcatV2", "GatherV2"} <= set(found.operations)
    nan = float("nan")
    found.assert_equal(x=[1.0, nan, 2.0], y=[nan, 1.0, 2.0], z=[1.0, 2.0, nan], c=TEXTS[:3])


def test_a_column_beside_columns_is_not_repeated(derive):
    def function(x, y, z):
        parts = [tf.where(x > 0, one, tf.zeros_like(one)) for one in (x, y, z)]
        return tf.reduce_sum(tf.stack(parts, axis=1) * [1.0, 10.0, 100.0], axis=1)

    found = derive(function, x=tf.float32, y=tf.float32, z=tf.float32)
    assert found.operations.count("Greater") == found.operations.count("SelectV2") == 1
    assert found.operations.count("Pack") == 1
    found.assert_equal(x=[1.0, -1.0], y=[3.0, 5.0], z=[7.0, 9.0])


def test_one_column_twice_is_computed_once(derive):
    found = derive(lambda x: tf.reduce_sum(tf.stack([tf.exp(x), tf.exp(x)], axis=1), 1), x=tf.float32)
    assert found.operations == ["Exp", "Pack", "Sum"]
    found.assert_equal(x=[1.0, -1.0])


def test_a_slice_of_columns_is_plain_and_of_rows_is_not(derive):
    def function(x, y):
        wide = tf.stack([x, y, x + y, x - y], axis=1)
        return tf.reduce_sum(wide[:, 1:3] * wide[:, -2:], axis=1) + wide[:, ::2][:, 1]

    found = derive(function, x=tf.float32, y=tf.float32)
    assert found.operations.count("Slice") == 1
    found.assert_equal(x=[1.0, 2.0], y=[3.0, 5.0])
    assert "Slice" not in derive(lambda x: x[1:], x=tf.float32).operations


def test_a_layer_is_one_step_with_tensorflows_answer_to_nan(derive):
    weights, bias = tf.constant([[1.0, -2.0], [0.5, 3.0]]), tf.constant([0.25, -1.0])

    def function(x, y):
        layer = tf.nn.relu(tf.nn.bias_add(tf.matmul(tf.stack([x, y], axis=1), weights), bias))
        return tf.reduce_sum(layer, axis=1)

    found = derive(function, x=tf.float32, y=tf.float32)
    assert found.operations == ["Pack", "_FusedMatMul", "Sum"]
    found.assert_equal(x=FLOATS, y=[1.0, 2.0, 3.0, float("nan"), -5.0])


def test_activations_alone_keep_nan(derive):
    found = derive(lambda x: tf.nn.relu(x + 1.0), x=tf.float32)
    assert found.operations == ["AddV2", "Relu"]
    found.assert_equal(x=FLOATS)


def test_the_length_of_a_known_axis_is_a_constant(derive):
    def function(c, d):
        wide = tf.stack([COLOURS.lookup(c), COLOURS.lookup(d)], axis=1)
        return wide[:, 0] + tf.cast(tf.shape(wide)[1], tf.int64)

    found = derive(function, c=tf.string, d=tf.string)
    assert "Shape" not in found.operations
    found.assert_equal(c=TEXTS, d=TEXTS)


def test_gathered_columns_are_gathered_once(derive):
    def function(x, y):
        wide = tf.stack([x, y, x], axis=1)
        return tf.reduce_sum(tf.gather(tf.gather(wide, [2, 1], axis=1), [1, 1, 0], axis=1) * [1.0, 2, 4], 1)

    found = derive(function, x=tf.float32, y=tf.float32)
    assert found.operations.count("GatherV2") == 1
    found.assert_equal(x=[1.0, 2.0], y=[3.0, 5.0])


def test_parts_of_an_array_are_slices(derive):
    def function(x, y):
        wide = tf.stack([x, y, x + y], axis=1)
        first, rest = tf.split(wide, [1, 2], axis=1)
        one, two = tf.unstack(rest, axis=1)
        left, middle, right = tf.split(wide, 3, axis=-1)
        return one - two * first[:, 0] + (left - middle * right)[:, 0]

    derive(function, x=tf.float32, y=tf.float32).assert_equal(x=[1.0, 2.0], y=[3.0, 5.0])

"""What is known before any row is there makes a program smaller; integers that wrap fool no rule."""

import numpy as np
import pytest
import tensorflow as tf

from tests.components.training.twin.test_rules import COLOURS, FLOATS, TEXTS, table


def test_a_known_condition_is_decided(derive):
    found = derive(lambda x: tf.where(tf.constant(2.0) > 1.0, x + 1.0, x), x=tf.float32)
    assert found.operations == ["AddV2"]
    found.assert_equal(x=FLOATS)


def test_positions_that_cannot_be_negative_are_not_asked(derive):
    def function(c):
        place = tf.stack([COLOURS.lookup(c) + 2, COLOURS.lookup(c) + 1], axis=1)
        return tf.reduce_sum(tf.where(place < 0, place + 9, place), axis=1)

    found = derive(function, c=tf.string)
    assert "Less" not in found.operations
    found.assert_equal(c=TEXTS)


def test_positions_of_several_kinds_that_cannot_be_negative_are_not_asked(derive):
    def function(c, d):
        entries = tf.stack([COLOURS.lookup(c) + 2, COLOURS.lookup(d) + 2], axis=1)
        buckets = tf.stack([tf.strings.to_hash_bucket_fast(one, 9) for one in (c, d)], axis=1)
        place = tf.concat([entries, buckets], axis=1)
        return tf.reduce_sum(tf.where(place < 0, place + 9, place), axis=1)

    found = derive(function, c=tf.string, d=tf.string)
    assert "Less" not in found.operations
    found.assert_equal(c=TEXTS, d=TEXTS[::-1])


def test_positions_that_may_be_negative_are_asked(derive):
    found = derive(lambda c: tf.where(tf.strings.length(c) - 3 < 0, 5, tf.strings.length(c)), c=tf.string)
    assert "Less" in found.operations
    found.assert_equal(c=TEXTS)


@pytest.mark.parametrize(
    ("most", "kind", "asked"),
    [
        (2**62, tf.int64, True), (2**62 - 1, tf.int64, False),
        (2**30, tf.int32, True), (2**30 - 1, tf.int32, False),
    ],
)  # fmt: skip
def test_positions_that_may_be_negative_since_they_wrap_are_asked(derive, most, kind, asked):
    places = table([b"red", b"blue"], np.array([0, most]), 7)

    def function(c, d):
        place = tf.cast(places.lookup(c) + places.lookup(d), kind)
        return tf.where(place < 0, tf.constant(5, kind), place)

    found = derive(function, c=tf.string, d=tf.string)
    assert ("Less" in found.operations) == asked
    found.assert_equal(c=TEXTS, d=[b"red", b"blue", b"blue", b"blue", b"red"])


@pytest.mark.parametrize("count", [60, 400])
def test_positions_that_are_counted_by_many_conditions_are_known(derive, count):
    """Neither are all ways through them tried, nor are they walked by calls, whose number has a limit."""

    def function(c, x):
        place = tf.strings.to_hash_bucket_fast(c, 9)
        for bound in range(count):
            place = tf.where(x > bound, place + 1, place)
        return tf.where(place < 0, tf.constant(5, tf.int64), place)

    found = derive(function, c=tf.string, x=tf.float32)
    assert "Less" not in found.operations
    found.assert_equal(c=TEXTS, x=[-1.0, 0.0, 2.5, 1e9, float("nan")])


@pytest.mark.parametrize(("buckets", "asked"), [(2**63 - 1, True), (2**62, False)])
def test_buckets_that_may_wrap_are_asked(derive, buckets, asked):
    def function(c, d):
        place = tf.strings.to_hash_bucket_fast(c, buckets) + tf.strings.to_hash_bucket_fast(d, buckets)
        return tf.where(place < 0, tf.constant(5, tf.int64), place)

    found = derive(function, c=tf.string, d=tf.string)
    assert ("Less" in found.operations) == asked
    found.assert_equal(c=TEXTS, d=TEXTS[::-1])


def test_a_division_that_needs_no_care_is_plain(derive):
    found = derive(lambda x: tf.math.divide_no_nan(x, 3.0), x=tf.float32)
    assert found.operations == ["RealDiv"]
    found.assert_equal(x=FLOATS)


@pytest.mark.parametrize("divisor", [0.0, 1e-40, -1e-45])
def test_a_division_by_what_is_taken_for_0_needs_care(derive, divisor):
    found = derive(lambda x: tf.math.divide_no_nan(x, divisor), x=tf.float32)
    assert found.operations == ["DivNoNan"]
    found.assert_equal(x=FLOATS)

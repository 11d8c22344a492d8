"""What users commonly write in `preprocessing_fn` and `build_model` has a proven twin.

The operations are those of the TFT tutorials (census, sentiment, Chicago taxi) and of the guide to Keras
preprocessing layers, one value a row.
"""

import keras
import pytest
import tensorflow as tf

from components.training.twin.values import OutsideError
from tests.components.training.twin.conftest import export, write_inputs
from tests.components.training.twin.mutants import list_bounds

COMMON = """
import math
import tensorflow as tf
import tensorflow_transform as tft

def preprocessing_fn(inputs):
    x = tf.where(tf.math.is_finite(inputs["x (m/s)"]), inputs["x (m/s)"], 0.0)
    y = inputs["y"]
    n = tf.cast(tf.where(inputs["n"] > -(2**62), inputs["n"], 0), tf.float32)
    colour = tf.strings.lower(tf.strings.strip(inputs["colour"]))
    month = tft.compute_and_apply_vocabulary(tf.strings.substr(inputs["day"], 0, 1), top_k=12)
    return {
        "x_z": tft.scale_to_z_score(x),
        "x_01": tft.scale_to_0_1(x),
        "y_log": tf.math.log1p(tf.maximum(y, 0.0)),
        "y_bucket": tft.bucketize(y, 5),
        "y_fixed": tft.apply_buckets(y, tf.constant([[1.0, 4.0, 9.0]])),
        "n_sin": tf.math.sin(2 * math.pi * n / 5.0),
        "n_pow": tf.sqrt(tf.pow(n + 1.0, 3.0)) + tf.exp(-n) + tf.square(tf.math.rsqrt(n + 2.0)),
        "n_mod": tf.math.floormod(inputs["n"], 3) + tf.cast(inputs["n"] > 2, tf.int64),
        "colour": tft.compute_and_apply_vocabulary(colour, num_oov_buckets=2, default_value=-1),
        "colour_length": tf.strings.length(colour, unit="UTF8_CHAR"),
        "tail": tft.hash_strings(inputs["tail"], 30),
        "cross": tft.hash_strings(tf.strings.join([colour, tf.strings.as_string(inputs["n"])], "_"), 40),
        "month": month,
        "flag": tf.cast(tf.equal(inputs["flag"], 1), tf.float32),
        "ratio": tf.math.divide_no_nan(x, y) + tf.clip_by_value(tf.abs(x), 0.5, 2.0) - tf.math.sigmoid(x),
        "round": tf.round(y) + tf.math.floor(x) + tf.math.ceil(x) + tf.sign(x),
        "some": tf.cast(tf.logical_and(x > 1.0, tf.logical_not(y < 3.0)), tf.int64),
    }
"""

OUTSIDE = """
import tensorflow as tf

def preprocessing_fn(inputs):
    return {"tail": tf.strings.length(tf.strings.regex_replace(inputs["tail"], "[0-9]+", "#"))}
"""


@pytest.fixture(scope="module")
def common(tmp_path_factory):
    folder = tmp_path_factory.mktemp("common")
    module = folder / "mine.py"
    module.write_text(COMMON)
    return export(folder, write_inputs(folder, "regression", {}, module), form="linear", min_count=1)


def test_common_functions_of_users_have_a_proven_twin(common):
    proof = common.prove()
    assert proof.proven, proof.reason


def test_bounds_of_their_buckets_are_proven_to_the_last_bit(common):
    proofs = {told: common.prove(mutant) for told, mutant in list_bounds(common.program)}
    assert len(proofs) == 2 * (4 + 3 + 1 + 1)
    survivors = {told for told, proof in proofs.items() if proof.proven}
    assert survivors == set()


ACTIVATIONS = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "sigmoid", "tanh",
    "linear",
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_common_layers_of_users_have_a_twin(derive, activation):
    keras.utils.set_random_seed(1)
    network = keras.Sequential([
        keras.Input((2,)), keras.layers.Dense(5, activation), keras.layers.LayerNormalization(),
        keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), keras.layers.Dense(1),
    ])  # fmt: skip
    found = derive(lambda x, y: network(tf.stack([x, y], axis=1))[:, 0], x=tf.float32, y=tf.float32)
    found.assert_equal(x=[0.5, -2.0, 30.0], y=[1.0, 0.0, -7.0], absolute=1e-6)


def test_a_function_outside_the_list_is_refused_by_name(tmp_path):
    module = tmp_path / "mine.py"
    module.write_text(OUTSIDE)
    with pytest.raises(OutsideError, match="operation `StaticRegexReplace` is not on the list"):
        export(tmp_path, write_inputs(tmp_path, "regression", {}, module), form="linear")

"""What a program is derived from, what ends the attempt, and that equal models give equal bytes."""

import numpy as np
import pytest
import tensorflow as tf

from components.common.artifacts import Signature, write_signature
from components.common.storage import content_digest
from components.common.twin.kinds import OperationError
from components.common.twin.program import read_program
from components.common.twin.run import Twin
from components.training.twin.derive import write_twin
from components.training.twin.values import OutsideError
from tests.components.training.twin.test_rules import table


@pytest.mark.parametrize(
    ("function", "kind", "reason"),
    [
        (lambda x: tf.strings.regex_replace(x, "a", "b"), tf.string, "`StaticRegexReplace` is not on"),
        (lambda x: tf.random.uniform(tf.shape(x)) + x, tf.float32, "`RandomUniform` is not on"),
        (
            lambda x: tf.cond(tf.reduce_sum(x) > 3, lambda: x, lambda: -x),
            tf.float32,
            "If` is not on the list",
        ),
        (lambda x: tf.debugging.check_numerics(x, "no") + 1, tf.float32, "`CheckNumerics` is not on"),
        (lambda x: tf.cast(tf.cast(x, tf.float16), tf.float32), tf.float32, "of type (half|float16)"),
        (lambda x: tf.strings.lower(x, "utf-8"), tf.string, "`StringLower` of an encoding .*utf-8"),
        (
            lambda x: tf.strings.substr(x, 0, 2, unit="UTF8_CHAR"),
            tf.string,
            "`Substr` of a unit .*UTF8_CHAR",
        ),
        (lambda x: tf.strings.as_string(x, width=2000), tf.float32, "`AsString` of a width.*2000"),
        (lambda x: tf.cast(tf.cast(x, tf.uint8), tf.float32), tf.float32, "`Cast` of floats to uint8"),
        (lambda x: tf.split(x, 2)[0], tf.float32, "`Split` along an axis of unknown length"),
    ],
)
def test_what_is_outside_ends_the_attempt_by_name(derive, function, kind, reason):
    with pytest.raises(OutsideError, match=reason):
        derive(function, x=kind)


def test_an_assertion_is_not_dropped(derive):
    def function(x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 9.0)]):
            return tf.identity(x)

    with pytest.raises(OutsideError, match="`If` is not on the list"):
        derive(function, x=tf.float32)


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda x: tf.raw_ops.Assert(condition=tf.reduce_all(x < 9), data=[x]), "Assert"),
        (lambda x: tf.raw_ops.PrintV2(input="rows"), "PrintV2"),
    ],
)
def test_what_acts_without_an_output_is_refused_by_name_too(derive, act, name):
    def function(x):
        with tf.control_dependencies([act(x)]):
            return tf.identity(x)

    with pytest.raises(OutsideError, match=f"`{name}` is not on the list"):
        derive(function, x=tf.float32)


def test_an_entry_that_tensorflow_has_no_answer_to_is_left_to_the_rows(derive):
    """Integers have no quotient by 0: TensorFlow fails for the key alone, and so does the twin."""
    places = table([b"red", b"blue"], np.array([0, 4]), 5)
    found = derive(lambda c: 10 // places.lookup(c), c=tf.string)
    assert "FloorDiv" in found.operations
    found.assert_equal(c=[b"blue", b"green"])
    with pytest.raises(OperationError):
        Twin(found.program).predict({"c": np.array([b"red"], object)})


def test_inputs_keep_the_signatures_order_used_or_not(derive):
    found = derive(lambda z, a, m: z - m, z=tf.float32, a=tf.string, m=tf.float32)
    assert [(one.name, one.datatype) for one in found.program.inputs] == [
        ("z", "FP32"), ("a", "BYTES"), ("m", "FP32")
    ]  # fmt: skip
    assert len({one.value for one in found.program.inputs}) == 3
    found.assert_equal(z=[1.0], a=[b""], m=[3.0])


class Tiny(tf.Module):
    """A table and a weight."""

    def __init__(self):
        super().__init__()
        keys = tf.constant([f"k{number}" for number in range(50)])
        self.weight = tf.Variable([2.0, 3.0])
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, tf.range(50, dtype=tf.int64)), -1
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "c")])
    def serve(self, c):
        return {"y": tf.cast(self.table.lookup(c), tf.float32)[:, None] * self.weight}


def save(folder, module, inputs):
    tf.saved_model.save(module, str(folder / "1"), signatures={"serving_default": module.serve})
    write_signature(folder, Signature(inputs=inputs, outputs=[]))
    return tf.saved_model.load(str(folder / "1"))


def test_equal_models_have_equal_twins(tmp_path):
    for name in ("one", "two"):
        loaded = save(tmp_path / name, Tiny(), [{"name": "c", "datatype": "BYTES"}])
        assert write_twin(tmp_path / name, loaded)["steps"] > 0
    assert content_digest(tmp_path / "one" / "twin") == content_digest(tmp_path / "two" / "twin")
    keys = next(iter(read_program(tmp_path / "one" / "twin").tables.values())).keys
    assert keys.tolist() == sorted(f"k{number}".encode() for number in range(50))


def test_a_reason_is_a_result_and_leaves_no_folder(tmp_path, monkeypatch, capsys):
    loaded = save(tmp_path, Tiny(), [{"name": "c", "datatype": "BYTES"}])

    def fail(*_):
        raise OutsideError("operation `Magic` is not on the list")

    monkeypatch.setattr("components.training.twin.derive.translate", fail)
    assert write_twin(tmp_path, loaded) == {"reason": "operation `Magic` is not on the list"}
    monkeypatch.setattr("components.training.twin.derive.translate", lambda *_: np.zeros(2)[3])
    assert write_twin(tmp_path, loaded) == {"reason": "not derived: IndexError"}
    assert "IndexError" in capsys.readouterr().err
    assert not (tmp_path / "twin").exists()

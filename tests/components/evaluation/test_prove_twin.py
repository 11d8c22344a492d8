"""A twin is proven by all rows, or the reason is told; what both refuse counts for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.common.artifacts import (
    Signature,
    read_evaluation,
    read_model_record,
    read_signature,
    twin_obstacle,
    write_model_record,
)
from components.common.saved_models import load_serving
from components.common.twin.program import Step, read_program, write_program
from components.evaluation.predict import LoadedModel, load_model
from components.evaluation.prove_twin import prove_program, prove_twin
from components.training.twin.derive import derive_program, write_twin
from tests.components.evaluation.answering import answering, texts


def add_twin(folder):
    twin = write_twin(folder, load_serving(folder / "1").model)
    write_model_record(folder, replace(read_model_record(folder), twin=twin))


def change(folder, edit):
    write_program(folder / "twin", edit(read_program(folder / "twin")))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_derived_twin_is_proven_and_said_to_serve(make_world, task):
    world = make_world(task)
    add_twin(world.model)
    world.run()
    folder = world.out / "evaluated_model"
    assert twin_obstacle(folder) is None
    proof = read_evaluation(folder).twin
    assert proof["rows"] == 600
    assert proof["directed"] > 60
    assert proof["difference"] < 1e-5
    for page in (world.out / "report.html", folder / "model_card.md"):
        assert "served by its twin, without TensorFlow: 600 test rows" in page.read_text()


@pytest.mark.parametrize(
    ("twin", "reason"),
    [({}, "no twin was derived"), ({"reason": "operation `Magic` is not on the list"}, "`Magic`")],
)
def test_without_a_twin_the_reason_is_told(make_world, twin, reason):
    world = make_world()
    write_model_record(world.model, replace(read_model_record(world.model), twin=twin))
    world.run()
    assert reason in str(twin_obstacle(world.out / "evaluated_model"))
    assert "served by TensorFlow: " in (world.out / "report.html").read_text()


def prove(world):
    model, table = load_model(world.model), make_columns(world)
    return prove_twin(model, table, model.answer(table, batch_size=4096), batch_size=4096)


def make_columns(world):
    import pyarrow.parquet as pq

    return pq.read_table(world.examples / "test").select(["distance", "carrier"])


def test_a_wrong_entry_is_found_by_directed_rows_alone(make_world):
    world = make_world()
    add_twin(world.model)
    only_ua = make_columns(world).filter(make_columns(world)["carrier"].to_numpy() == "UA")
    model = load_model(world.model)

    def spoil(program):
        ((name, table),) = program.tables.items()
        assert table.keys.tolist() == [b"AA", b"UA"]
        return replace(program, tables={name: replace(table, values=table.values * [2, 1])})

    change(world.model, spoil)
    proof = prove_twin(model, only_ua, model.answer(only_ua, batch_size=4096), batch_size=4096)
    assert not proof.proven
    assert "directed rows are answered otherwise" in proof.reason


def test_another_weight_is_found_by_the_test_split(make_world):
    world = make_world()
    add_twin(world.model)

    def shift(program):
        constants = {
            name: value + np.float32(0.01) if value.dtype == np.float32 else value
            for name, value in program.constants.items()
        }
        return replace(program, constants=constants)

    change(world.model, shift)
    proof = prove(world)
    assert not proof.proven
    assert "of 600 test rows are answered otherwise" in proof.reason


def test_a_file_that_cannot_be_read_is_a_reason_without_a_path(make_world):
    world = make_world()
    add_twin(world.model)
    (world.model / "twin" / "constants.npz").write_bytes(b"")
    proof = prove(world)
    assert proof.reason.startswith("the twin fails: not readable as the constants of a twin")
    assert str(world.model) not in proof.reason


def test_rows_that_depend_on_one_another_are_found(tmp_path):
    model, program = answering(lambda x: tf.tanh(x) * 2.0, tf.float32, "FP32", tmp_path)
    encoded = {"x": np.linspace(-1, 1, 500).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    assert prove_program(program, model, encoded, answers, batch_size=4096).proven
    # adds the number of rows over 10,000, cut to whole numbers: 0 for every batch before, so it must be
    # the batch of another size that shows it
    more = [
        Step(operation="Shape", inputs=["v0"], outputs=["n"], attributes={"out_type": "int32"}),
        Step(operation="FloorDiv", inputs=["few", "n"], outputs=["d"], attributes={}),
        Step(operation="Cast", inputs=["d"], outputs=["e"], attributes={"DstT": "float32"}),
        Step(operation="AddV2", inputs=["v1", "e"], outputs=["y"], attributes={}),
    ]
    faulty = replace(
        program,
        steps=[*program.steps, *more],
        constants={**program.constants, "few": np.array([20], np.int32)},
        outputs=[replace(program.outputs[0], value="y")],
    )
    proof = prove_program(faulty, model, encoded, answers, batch_size=4096)
    assert proof.reason == "the twin answers otherwise when 1 rows are asked together"


def test_a_row_that_tensorflow_answers_otherwise_alone_is_found(tmp_path):
    """Its kernels take another path there; here the model itself does, and the twin does not."""
    _, program = answering(lambda x: tf.tanh(x) * 2.0, tf.float32, "FP32", tmp_path / "plain")
    model, _ = answering(
        lambda x: tf.tanh(x) * 2.0 + tf.cast(tf.shape(x)[0] == 1, tf.float32) * 0.01,
        tf.float32, "FP32", tmp_path / "other",
    )  # fmt: skip
    encoded = {"x": np.linspace(-1, 1, 500).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    proof = prove_program(program, model, encoded, answers, batch_size=4096)
    assert proof.reason == "the twin answers otherwise when 1 rows are asked together"


def test_rows_of_the_test_split_that_depend_on_one_another_are_found(tmp_path):
    """Only values near 0.305 do, and no directed row has one: nothing there is compared, and so no edge."""
    model, program = answering(lambda x: tf.tanh(x) * 2.0, tf.float32, "FP32", tmp_path)
    encoded = {"x": np.linspace(0.3, 0.31, 3).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=3)
    assert prove_program(program, model, encoded, answers, batch_size=3).proven
    more = [
        Step(operation="Sub", inputs=["x0", "middle"], outputs=["a"], attributes={}),
        Step(operation="Abs", inputs=["a"], outputs=["b"], attributes={}),
        Step(operation="Sub", inputs=["near", "b"], outputs=["c"], attributes={}),
        Step(operation="Relu", inputs=["c"], outputs=["d"], attributes={}),
        Step(operation="Shape", inputs=["v0"], outputs=["n"], attributes={"out_type": "int32"}),
        Step(operation="Sub", inputs=["n", "three"], outputs=["others"], attributes={}),
        Step(operation="Cast", inputs=["others"], outputs=["e"], attributes={"DstT": "float32"}),
        Step(operation="Mul", inputs=["d", "e"], outputs=["f"], attributes={}),
        Step(operation="AddV2", inputs=["v1", "f"], outputs=["y"], attributes={}),
    ]
    constants = {
        "middle": np.array(0.305, np.float32), "near": np.array(0.02, np.float32),
        "three": np.array([3], np.int32),
    }  # fmt: skip
    faulty = replace(
        program, steps=[*program.steps, *more], constants={**program.constants, **constants},
        outputs=[replace(program.outputs[0], value="y")],
    )  # fmt: skip
    proof = prove_program(faulty, model, encoded, answers, batch_size=3)
    assert proof.reason == "the twin answers otherwise when 1 rows are asked together"


def test_entries_that_only_two_columns_joined_can_reach_are_counted(tmp_path):
    """Of three pairs one is in the test split: two are asked by nobody, which is told."""
    joined = tf.lookup.KeyValueTensorInitializer(["a_1", "a_2", "b_1"], [1.0, 2.0, 3.0])
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(joined, 0.0)
    alone = tf.lookup.KeyValueTensorInitializer(["a", "b"], [0.5, 0.25])
    module.alone = tf.lookup.StaticHashTable(alone, 0.0)
    module.serve = tf.function(
        lambda x, z: {
            "prediction": module.table.lookup(tf.strings.join([x, z], "_")) + module.alone.lookup(x)
        },
        input_signature=[tf.TensorSpec([None], tf.string, name) for name in "xz"],
    )
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.serve})
    inputs = [{"name": name, "kind": "string", "datatype": "BYTES", "optional": False} for name in "xz"]
    outputs = [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]
    signature = Signature(inputs=inputs, outputs=outputs)
    serve = load_serving(tmp_path / "1")
    record = type("Record", (), {"task": "regression", "classes": []})()
    model = LoadedModel(folder=tmp_path, signature=signature, record=record, serve=serve)
    encoded = {**texts(b"a", b"c"), "z": texts(b"2", b"3")["x"]}
    answers = model.answer_encoded(encoded, batch_size=2)
    proof = prove_program(derive_program(serve.model, signature), model, encoded, answers, batch_size=2)
    assert (proof.proven, proof.unasked) == (True, 2)
    assert str(proof).endswith("were answered alike; 2 entries of its tables were asked by none.")


def test_a_last_digit_that_a_cut_makes_a_difference_of_is_found(tmp_path):
    """IEEE 754 rounds a root in one way alone; of logarithms NumPy and TensorFlow differ by last digits."""
    model, program = answering(lambda x: tf.floor(tf.sqrt(tf.abs(x))), tf.float32, "FP32", tmp_path)
    encoded = {"x": np.linspace(0.1, 50, 400).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    assert prove_program(program, model, encoded, answers, batch_size=4096).proven
    place = next(place for place, one in enumerate(program.steps) if one.operation == "Sqrt")
    (made,) = program.steps[place].outputs
    ulp = Step(operation="Mul", inputs=["exact", "more"], outputs=[made], attributes={})
    steps = [*program.steps]
    steps[place : place + 1] = [replace(steps[place], outputs=["exact"]), ulp]
    for more in (np.nextafter(np.float32(1), np.float32(2)), np.nextafter(np.float32(1), np.float32(0))):
        shifted = replace(program, steps=steps, constants={**program.constants, "more": np.array(more)})
        proof = prove_program(shifted, model, encoded, answers, batch_size=4096)
        assert not proof.proven
        assert "directed rows are answered otherwise" in str(proof.reason)
    model, program = answering(lambda x: tf.floor(tf.math.log1p(x)), tf.float32, "FP32", tmp_path / "log")
    answers = model.answer_encoded(encoded, batch_size=4096)
    assert "directed" in str(prove_program(program, model, encoded, answers, batch_size=4096).reason)


def test_digits_that_are_lost_near_0_alone_are_found(tmp_path):
    """exp(x) − 1 has at 1e-5 three digits in float32, as it is written, and Expm1 has all of them."""
    model, program = answering(lambda x: tf.sqrt(tf.exp(x * 0.1) - 1.0), tf.float32, "FP32", tmp_path)
    encoded = {"x": np.linspace(1, 50, 300).astype(np.float32)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    assert prove_program(program, model, encoded, answers, batch_size=4096).proven
    place = next(place for place, one in enumerate(program.steps) if one.operation == "Expm1")
    exact = program.steps[place]
    power = Step(operation="Exp", inputs=exact.inputs, outputs=["power"], attributes={})
    less = Step(operation="Sub", inputs=["power", "one"], outputs=exact.outputs, attributes={})
    written = replace(
        program, steps=[*program.steps[:place], power, less, *program.steps[place + 1 :]],
        constants={**program.constants, "one": np.array(1, np.float32)},
    )  # fmt: skip
    proof = prove_program(written, model, encoded, answers, batch_size=4096)
    assert "directed rows are answered otherwise" in str(proof.reason)


def test_a_value_that_the_edges_meet_and_nothing_answers_does_not_end_the_proof(tmp_path):
    """TensorFlow fails for 0, which is among the directed values; the twin must fail, and no more."""
    model, program = answering(lambda x: tf.cast(100 // x < 10, tf.float32), tf.int64, "INT64", tmp_path)
    encoded = {"x": np.arange(1, 200)}
    answers = model.answer_encoded(encoded, batch_size=4096)
    proof = prove_program(program, model, encoded, answers, batch_size=4096)
    assert proof.proven, proof.reason


def test_answers_that_are_no_numbers_in_both_are_equal(tmp_path):
    model, program = answering(lambda x: tf.math.log(x), tf.float32, "FP32", tmp_path)
    encoded = {"x": np.array([1.0, -1.0], np.float32)}
    answers = model.answer_encoded(encoded, batch_size=9)
    assert np.isnan(answers[1])
    assert prove_program(program, model, encoded, answers, batch_size=9).proven


def test_the_signature_of_a_proven_model_is_as_it_was(make_world):
    world = make_world()
    before = read_signature(world.model)
    add_twin(world.model)
    world.run()
    assert read_signature(world.out / "evaluated_model") == before

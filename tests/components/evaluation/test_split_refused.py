"""What a model has no answer to, its twin may not answer either."""

from dataclasses import replace

import tensorflow as tf

from components.common.twin.program import Input, Program, Step
from components.common.twin.run import Twin
from components.evaluation import split_refused as refusing
from components.evaluation.prove_twin import prove_program
from components.evaluation.split_refused import answers_any, split_refused
from tests.components.evaluation.answering import answering, texts


def test_what_tensorflow_refuses_the_twin_must_refuse(tmp_path):
    model, program = answering(lambda x: tf.strings.to_number(x), tf.string, "BYTES", tmp_path)
    encoded = texts(b"1", b"2.5")
    answers = model.answer_encoded(encoded, batch_size=9)
    proof = prove_program(program, model, encoded, answers, batch_size=9)
    assert proof.proven, proof.reason
    answered, refused = split_refused(model, texts(b"1", b"one", b"2", b"", b"-3", b"4x"), 4)
    assert answered["x"].tolist() == [b"1", b"2", b"-3"]
    assert refused["x"].tolist() == [b"one", b"", b"4x"]
    assert not answers_any(Twin(program), refused)
    count = Step(operation="StringLength", inputs=["x0"], outputs=["v0"], attributes={"unit": "BYTE"})
    assert answers_any(Twin(replace(program, steps=[count])), refused)


def test_every_row_that_tensorflow_refuses_is_asked_of_the_twin(tmp_path):
    """The last of very many is answered: a second column that only the twin reads."""
    _, program = answering(lambda x: tf.strings.to_number(x), tf.string, "BYTES", tmp_path)
    second = Input(name="z", datatype="BYTES", value="z0")
    (read,) = program.steps
    both = Program(
        inputs=[*program.inputs, second], outputs=program.outputs, constants={}, tables={},
        steps=[replace(read, inputs=["z0"], outputs=["other"]), read],
    )  # fmt: skip
    strict, lax = Twin(both), Twin(replace(both, steps=both.steps[1:]))
    refused = {**texts(*[b"one"] * 300, b"1"), "z": texts(*[b"1"] * 300, b"one")["x"]}
    assert not answers_any(strict, refused)
    assert answers_any(lax, refused)


def test_a_model_that_fails_for_too_many_values_is_blamed_and_not_its_twin(tmp_path, monkeypatch):
    monkeypatch.setattr(refusing, "_MOST", 3)
    model, program = answering(lambda x: tf.strings.to_number(x), tf.string, "BYTES", tmp_path)
    encoded = texts(b"1", b"2.5")
    proof = prove_program(
        program, model, encoded, model.answer_encoded(encoded, batch_size=9), batch_size=9
    )
    assert not proof.proven
    assert proof.reason == "the twin cannot be proven: the model fails for more than 3 values"

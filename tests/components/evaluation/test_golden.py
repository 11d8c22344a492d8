"""Golden requests: which rows, and that the model repeats its answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.common.artifacts import ModelRecord, Signature
from components.common.errors import BadInputError
from components.common.golden import find_difference, golden_columns, read_golden_requests
from components.evaluation.golden import UNSEEN_STRING, record_golden
from components.evaluation.predict import LoadedModel, load_model
from components.serving.check import encode_request
from components.serving.load import load_model as serve


@pytest.fixture
def model(make_world):
    return load_model(make_world().model)


def record(model, table, rows=32):
    return record_golden(model, table, rows=rows, batch_size=1_000)


def table_of(distance, carrier):
    return pa.table(
        {"distance": pa.array(distance, pa.float64()), "carrier": pa.array(carrier, pa.string())}
    )


def test_the_answers_equal_the_formula_computed_by_hand(model):
    golden = record(model, table_of([0.5, -1.0, None] * 20, ["AA", "UA", "ZZ"] * 20))
    for row in golden:
        distance, carrier = row["inputs"]["distance"], row["inputs"]["carrier"]
        score = (0.0 if distance is None else distance) + {"AA": 1.0, "UA": -1.0}.get(carrier, 0.0)
        assert row["outputs"]["probability"] == pytest.approx(1 / (1 + math.exp(-score)), rel=1e-6)


def test_another_batch_size_gives_the_same_answers_within_the_servers_tolerance(model):
    golden = record(model, table_of(np.linspace(-2, 2, 90), ["AA", "UA", "ZZ"] * 30))
    again = model.answer(golden_columns(golden, model.inputs), batch_size=1)
    assert find_difference(golden, {"probability": again.tolist()}) is None


def test_missing_values_and_unseen_categories_are_among_them_though_the_data_have_none(model):
    golden = record(model, table_of(np.linspace(-2, 2, 90), ["AA", "UA", "ZZ"] * 30))
    assert len(golden) == 32
    assert any(row["inputs"]["distance"] is None for row in golden)
    assert any(row["inputs"]["carrier"] == UNSEEN_STRING for row in golden)


def test_rows_with_gaps_of_their_own_are_chosen_though_rare(model):
    distance = [None if row == 4_321 else float(row) for row in range(5_000)]
    carriers = ["rare" if row == 4_321 else "AA" for row in range(5_000)]
    golden = record(model, table_of(distance, carriers))
    assert {"distance": None, "carrier": "rare"} in [row["inputs"] for row in golden]


def test_a_row_that_a_server_would_refuse_is_never_chosen(model):
    golden = record(model, table_of([1.0, 2.0, math.inf, 4.0], ["AA", None, "UA", None]))
    assert {row["inputs"]["carrier"] for row in golden} == {"AA", "UA", UNSEEN_STRING}
    assert json.dumps(golden, allow_nan=False)


@pytest.mark.parametrize("edge", [1e-40, -1e-40, 1e-46, -1e-300, 1e39, -1e300])
def test_a_number_that_no_server_takes_is_recorded_as_missing_and_warms_one(make_world, edge):
    world = make_world()
    distance = [edge if row % 4 > 1 else float(row) for row in range(60)]  # every second row is chosen
    table = table_of(distance, ["AA", "UA", "ZZ"] * 20).append_column("month", pa.array([1, 2] * 30))
    world.set_table(table.append_column("late", pa.array([0, 1, 1] * 20)))
    world.run()
    served = serve(world.out / "evaluated_model", "tiny", "tensorflow")
    golden = read_golden_requests(world.out / "evaluated_model")
    assert {row["inputs"]["distance"] for row in golden} > {None, 4.0}
    assert edge not in {row["inputs"]["distance"] for row in golden}
    assert served.choice.engine == "tensorflow"


FORMS = {
    "date": (["2024-02-29", "2024-02-30", "2024-2-1", "soon", "2024-01-01"], {"2024-02-29", "2024-01-01"}),
    "timestamp": (
        ["2024-02-29T10:00:00", "2024-02-30T10:00:00", "2024-02-29 10:00", "soon", "2023-01-01T00:00:00"],
        {"2024-02-29T10:00:00", "2023-01-01T00:00:00"},
    ),
    "boolean": ([1, 2, 0, -1, 7], {1, 0}),
}  # fmt: skip


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("kind", FORMS)
def test_a_value_of_a_form_that_no_server_takes_is_never_recorded(kind, optional):
    """A server hands on to the model just what the model was asked when it was judged."""
    values, sendable = FORMS[kind]
    datatype = "INT64" if kind == "boolean" else "BYTES"
    inputs = [{"name": "x", "kind": kind, "datatype": datatype, "optional": optional, "example": values[0]}]
    outputs = [{"name": "probability", "datatype": "FP32", "shape": [-1]}]
    judged = ModelRecord(
        task="binary", label="y", classes=["0", "1"], trial=0, hyperparameters={}, validation={}, digests={}
    )
    model = LoadedModel(
        folder=Path(), signature=Signature(inputs=inputs, outputs=outputs), record=judged,
        serve=lambda columns: {"probability": np.full(len(columns["x"]), 0.5, np.float32)},
    )  # fmt: skip
    golden = record(model, pa.table({"x": values * 20}))
    assert {row["inputs"]["x"] for row in golden} == (sendable | {None} if optional else sendable)
    columns = golden_columns(golden, ["x"])
    assert encode_request(columns, model.signature)["x"].tolist() == model.encode(columns)["x"].tolist()


def test_a_value_that_was_made_up_and_has_no_answer_is_left_out():
    """A user's function may fail for text that is no number; TensorFlow does so by itself."""
    inputs = [{"name": "x", "kind": "string", "datatype": "BYTES", "optional": False, "example": "1"}]
    outputs = [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]
    judged = ModelRecord(
        task="regression", label="y", classes=[], trial=0, hyperparameters={}, validation={}, digests={}
    )
    model = LoadedModel(
        folder=Path(), signature=Signature(inputs=inputs, outputs=outputs), record=judged,
        serve=lambda columns: {"prediction": tf.strings.to_number(columns["x"]).numpy()},
    )  # fmt: skip
    golden = record(model, pa.table({"x": ["1", "2.5", "-3"] * 20}))
    assert len(golden) == 31  # 32 without the unseen text
    assert {(row["inputs"]["x"], row["outputs"]["prediction"]) for row in golden} == {
        ("1", 1.0), ("2.5", 2.5), ("-3", -3.0),
    }  # fmt: skip


def test_a_split_smaller_than_the_wish_gives_what_it_has(model):
    golden = record(model, table_of([1.0, None], ["AA", "UA"]), rows=32)
    assert len(golden) == 4  # two rows, one without distance, one with an unseen carrier


def test_no_row_that_can_be_sent_is_an_error(model):
    with pytest.raises(BadInputError, match="no row of the test split can be a request"):
        record(model, table_of([1.0, 2.0], [None, None]))


def test_the_same_table_gives_the_same_rows(model):
    table = table_of(np.linspace(-2, 2, 90), ["AA", "UA", "ZZ"] * 30)
    assert record(model, table) == record(model, table)


def test_several_classes_are_recorded_as_lists(make_world):
    golden = record(load_model(make_world("multiclass").model), table_of([0.5] * 8, ["AA"] * 8), rows=8)
    assert all(sum(row["outputs"]["probabilities"]) == pytest.approx(1.0) for row in golden)


@pytest.fixture
def make_undecided(make_world):
    """A model without a finite answer to a missing distance, and a test split that misses none."""

    def make(**choices):
        world = make_world(missing=math.nan, **choices)
        distance = np.random.default_rng(3).normal(size=600)
        table = table_of(distance, ["AA", "UA", "ZZ"] * 200).append_column("month", pa.array([1, 2] * 300))
        world.set_table(table.append_column("late", pa.array((distance > 0).astype(np.int64))))
        return world

    return make


def test_a_value_that_was_made_up_and_has_no_finite_answer_is_left_out_and_warms_a_server(make_undecided):
    world = make_undecided()
    assert world.run().verdict.passed
    golden = read_golden_requests(world.out / "evaluated_model")
    assert None not in {row["inputs"]["distance"] for row in golden}
    assert UNSEEN_STRING in {row["inputs"]["carrier"] for row in golden}
    assert serve(world.out / "evaluated_model", "tiny").name == "tiny"


def test_a_model_that_would_be_blessed_without_a_golden_request_is_refused(make_undecided):
    """A personal distance is recorded as missing."""
    world = make_undecided()
    tagged = 'feature { name: "distance" annotation { tag: "personal" } }\n'
    (world.model / "schema.pbtxt").write_text(tagged)
    with pytest.raises(BadInputError, match="no finite answer to any row that could be a request"):
        world.run()


def test_a_model_without_any_finite_answer_is_judged(make_undecided):
    assert not make_undecided(weight=math.nan).run().verdict.passed

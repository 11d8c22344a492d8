"""Functions of TensorFlow and exported models, and the programs that are derived from them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.common.artifacts import Signature
from components.common.saved_models import load_serving
from components.common.twin.program import Program
from components.common.twin.run import Twin
from components.evaluation.predict import LoadedModel
from components.evaluation.prove_twin import prove_program
from components.training.export import describe_signature, export_model
from components.training.fit import Problem, fit_model
from components.training.hyperparameters import read_hyperparameters
from components.training.read_arrays import lay_out, read_arrays
from components.training.twin.derive import derive_program
from components.transform.config import TransformConfig
from components.transform.transform import transform_examples

DATATYPES = {tf.float32: "FP32", tf.int64: "INT64", tf.string: "BYTES"}


@dataclass(frozen=True)
class Derived:
    """A program beside what it was derived from."""

    program: Program
    serve: Any

    @property
    def operations(self) -> list[str]:
        return [step.operation for step in self.program.steps]

    def assert_equal(self, *, absolute=1e-7, **columns):
        """Ask both for all rows, for one and for none; TensorFlow's answers are the expected ones."""
        arrays = {
            name: np.array(values, object if isinstance(values[0], bytes) else None)
            for name, values in columns.items()
        }
        for rows in (slice(None), slice(0, 1), slice(0, 0)):
            given = {name: values[rows] for name, values in arrays.items()}
            typed = {
                one.name: given[one.name].astype({"FP32": "f4", "INT64": "i8", "BYTES": "O"}[one.datatype])
                for one in self.program.inputs
            }
            kinds = {name: tf.string if one.dtype == object else None for name, one in typed.items()}
            wanted = self.serve(**{name: tf.constant(one, kinds[name]) for name, one in typed.items()})
            found = Twin(self.program).predict(typed)
            assert set(found) == set(wanted)
            for name, tensor in wanted.items():
                assert found[name].shape == tensor.shape
                np.testing.assert_allclose(found[name], tensor.numpy(), rtol=1e-5, atol=absolute)


@pytest.fixture
def derive():
    """Return a function from a function of named columns to what is derived from it."""

    def of(function, **types) -> Derived:
        places = [tf.TensorSpec([None], kind, name) for name, kind in types.items()]

        def serve(*columns):
            answer = function(**dict(zip(types, columns, strict=True)))
            return answer if isinstance(answer, dict) else {"y": answer}

        traced = tf.function(serve, input_signature=places)

        def call(**columns):
            return traced(*(columns[name] for name in types))

        loaded = SimpleNamespace(signatures={"serving_default": call})
        inputs = [{"name": name, "datatype": DATATYPES[kind]} for name, kind in types.items()]
        return Derived(derive_program(loaded, Signature(inputs=inputs, outputs=[])), call)

    return of


KINDS = {
    "x (m/s)": "float", "y": "float", "n": "integer", "wide": "integer", "flag": "boolean",
    "colour": "string", "tail": "string", "day": "date", "moment": "timestamp",
}  # fmt: skip
HASH = {"encoding": "hash", "size": 50}
NUMBERS = dict.fromkeys(("x (m/s)", "y", "wide"), "number")
FEATURES = {
    "binary": {
        **NUMBERS, "n": "category", "flag": "category", "colour": "category", "tail": HASH,
        "day": "calendar", "moment": "calendar",
    },
    "multiclass": {
        **NUMBERS, "n": HASH, "flag": "number", "colour": "category", "tail": "category",
        "day": "category", "moment": HASH,
    },
    "regression": {
        **NUMBERS, "n": "category", "flag": "category", "colour": HASH, "tail": HASH, "day": HASH,
        "moment": "category",
    },
}  # fmt: skip
POINTS = {  # with `min_count` 1 every entry of a vocabulary has a vector, and an answer, of its own
    ("binary", "mlp"): {"members": 3, "bins": 4, "dropout": 0.2},
    ("binary", "linear"): {"bins": 0},
    ("binary", "wide_and_deep"): {"members": 1, "bins": 4, "min_count": 1},
    ("multiclass", "mlp"): {"members": 1, "bins": 4, "min_count": 1},
    ("multiclass", "linear"): {"bins": 4},
    ("multiclass", "wide_and_deep"): {"members": 2, "bins": 0},
    ("regression", "mlp"): {"members": 2, "bins": 0},
    ("regression", "linear"): {"bins": 4, "min_count": 1},
    ("regression", "wide_and_deep"): {"members": 1, "bins": 0, "layers": 1},
}
ROWS = 400


def draw_table(task, seed, rows=ROWS):
    """Draw a table with all kinds of columns, some values missing."""
    draw = np.random.default_rng(seed)
    x, n = draw.normal(3, 2, rows), draw.integers(0, 5, rows)
    score = x - n
    labels = {
        "binary": [["no", "yes"][int(value > 1)] for value in score],
        "multiclass": [int(value > 0) + int(value > 2) for value in score],
        "regression": (1000.0 + 50.0 * score).tolist(),
    }
    days = draw.integers(0, 20_000, rows).astype("M8[D]")
    hours = draw.integers(0, 24, rows)
    colours = draw.choice(["red", "grün", "blue"], rows).tolist()
    moments = [f"{day}T{hour:02d}:15:00" for day, hour in zip(days, hours, strict=True)]

    def sparse(values):
        return pa.array(values, mask=draw.random(rows) < 0.1)

    return pa.table({
        "x (m/s)": sparse(x),
        "y": draw.exponential(9, rows),
        "n": sparse(n),
        "wide": sparse(draw.integers(-5000, 5000, rows)),
        "flag": sparse(draw.integers(0, 2, rows)),
        "colour": sparse(colours),
        "tail": sparse([f"N{value}" for value in draw.integers(0, 300, rows)]),
        "day": sparse(days.astype(str).tolist()),
        "moment": sparse(moments),
        "label": labels[task],
    })  # fmt: skip


def write_inputs(folder: Path, task: str, features, module=None):
    """Transform drawn tables, as the pipeline would."""
    for split, seed in (("train", 1), ("eval", 2)):
        (folder / "examples" / split).mkdir(parents=True)
        pq.write_table(draw_table(task, seed), folder / "examples" / split / "part-00000.parquet")
    schema = schema_pb2.Schema()
    types = {"integer": schema_pb2.INT, "boolean": schema_pb2.INT, "float": schema_pb2.FLOAT}
    label = {"binary": "string", "multiclass": "integer", "regression": "float"}[task]
    for name, kind in {**KINDS, "label": label}.items():
        feature = schema.feature.add(name=name, type=types.get(kind, schema_pb2.BYTES))
        if kind == "boolean":
            feature.bool_domain.SetInParent()
        if kind in ("date", "timestamp"):
            feature.time_domain.string_format = "%Y-%m-%d" + ("T%H:%M:%S" if kind == "timestamp" else "")
    (folder / "schema").mkdir()
    (folder / "schema" / "schema.pbtxt").write_text(text_format.MessageToString(schema), encoding="utf-8")
    return transform_examples(
        folder / "examples", folder / "schema", transform_graph=folder / "graph",
        transformed_examples=folder / "transformed", report=folder / "report.html", label="label",
        task=task, features=features, module=module, config=TransformConfig(),
    )  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """An exported model, its program, and rows that it was asked."""

    model: LoadedModel
    program: Program
    encoded: dict[str, Any]
    answers: Any

    def prove(self, program=None):
        return prove_program(
            program or self.program, self.model, self.encoded, self.answers, batch_size=4096
        )


def export(folder: Path, summary, **point) -> Exported:
    """Export a network of drawn weights, and derive its twin."""
    layout = lay_out(summary)
    train = read_arrays(folder / "transformed", "train", layout)
    settings = {"epochs": 1, "units": 8, "embedding_dimension": 3, "batch_size": 256, **point}
    problem = Problem(
        layout, summary.task, summary.classes, read_hyperparameters(settings, where="test"), 0
    )
    fitted = fit_model(problem, train, train)
    draw = np.random.default_rng(3)
    fitted.model.set_weights(
        [draw.normal(0, 0.4, weights.shape).astype(weights.dtype) for weights in fitted.model.get_weights()]
    )
    values = {name: [None] for name in summary.inputs}
    signature = describe_signature(summary, dict.fromkeys(summary.inputs, True), values)
    target = Path(tempfile.mkdtemp(dir=folder))
    export_model(fitted, summary, folder / "graph", target=target / "1")
    serve = load_serving(target / "1")
    record = SimpleNamespace(task=summary.task, classes=summary.classes)
    model = LoadedModel(folder=target, signature=signature, record=record, serve=serve)
    table = draw_table(summary.task, 7)
    encoded = model.encode({name: table.column(name) for name in summary.inputs})
    answers = model.answer_encoded(encoded, batch_size=4096)
    return Exported(model, derive_program(serve.model, signature), encoded, answers)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Return a function from a task and a form to an exported model; each is made once."""

    @cache
    def inputs(task: str):
        folder = tmp_path_factory.mktemp(task)
        return folder, write_inputs(folder, task, FEATURES[task])

    @cache
    def of(task: str, form: str) -> Exported:
        return export(*inputs(task), form=form, **POINTS[task, form])

    return of

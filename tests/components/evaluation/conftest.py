"""Tiny worlds: a SavedModel made of plain TensorFlow, and a test split that it was not trained on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.common.artifacts import (
    ModelRecord,
    Signature,
    write_model_record,
    write_no_baseline,
    write_signature,
)
from components.common.seal import seal_model
from components.evaluation.config import EvaluationConfig
from components.evaluation.evaluate import Outcome, evaluate_model

EFFECT = {"AA": 1.0, "UA": -1.0}
OUTPUTS = {"binary": "probability", "multiclass": "probabilities", "regression": "prediction"}


class Formula(tf.Module):
    """`weight * distance + offset[carrier] + bias`, as a logit, three logits, or a value."""

    def __init__(self, task, weight, bias, missing):
        super().__init__()
        self.task, self.weight, self.bias, self.missing = task, weight, bias, missing
        keys, values = tf.constant(list(EFFECT)), tf.constant(list(EFFECT.values()))
        self.offsets = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 0.0)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, "distance"),
            tf.TensorSpec([None], tf.string, "carrier"),
        ]
    )
    def serve(self, distance, carrier):
        known = tf.where(tf.math.is_nan(distance), self.missing, distance)
        score = self.weight * known + self.offsets.lookup(carrier) + self.bias
        if self.task == "regression":
            return {"prediction": score}
        if self.task == "binary":
            return {"probability": tf.sigmoid(score)}
        return {"probabilities": tf.nn.softmax(tf.stack([score, -score, tf.zeros_like(score)], axis=1))}


def make_model(
    folder: Path,
    *,
    task="binary",
    weight=1.0,
    bias=0.0,
    missing=0.0,
    label="late",
    classes=None,
    inputs=None,
):
    """Write a bare model; `missing` is what it takes a missing distance for."""
    module = Formula(task, weight, bias, missing)
    tf.saved_model.save(module, str(folder / "1"), signatures={"serving_default": module.serve})
    names = {"binary": ["0", "1"], "multiclass": ["a", "b", "c"], "regression": []}[task]
    shape = [-1, 3] if task == "multiclass" else [-1]
    declared = inputs or [
        {"name": "distance", "kind": "float", "datatype": "FP32", "optional": True, "example": 0.5},
        {"name": "carrier", "kind": "string", "datatype": "BYTES", "optional": False, "example": "AA"},
    ]
    outputs = [{"name": OUTPUTS[task], "datatype": "FP32", "shape": shape}]
    write_signature(folder, Signature(inputs=declared, outputs=outputs))
    write_model_record(
        folder,
        ModelRecord(
            task=task, label=label, classes=names if classes is None else classes, trial=0,
            hyperparameters={}, validation={}, digests={"snapshot": "5" * 64},
        ),
    )  # fmt: skip
    (folder / "schema.pbtxt").write_text("feature {}\n")
    (folder / "statistics.pb").write_bytes(b"")
    (folder / "trials.json").write_text("[]\n")
    return folder


def make_table(rows=600, *, task="binary", seed=7, label="late"):
    """Draw rows that a `Formula` of weight 1 fits; some distances are missing."""
    random = np.random.default_rng(seed)
    distance = random.normal(size=rows)
    carrier = random.choice(["AA", "UA", "ZZ"], rows)
    score = distance + np.array([EFFECT.get(name, 0.0) for name in carrier])
    if task == "regression":
        answer = score + random.normal(scale=0.5, size=rows)
    elif task == "binary":
        answer = (random.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int64)
    else:
        weights = np.exp(np.stack([score, -score, np.zeros(rows)], axis=1))
        cut = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
        answer = np.array(["a", "b", "c"])[(random.random((rows, 1)) > cut).sum(axis=1).clip(0, 2)]
    gaps = random.random(rows) < 0.05
    return pa.table(
        {
            "distance": pa.array(distance, mask=gaps),
            "carrier": pa.array(carrier.tolist()),
            "month": pa.array((np.arange(rows) % 3 + 1).astype(np.int64)),
            label: pa.array(answer.tolist()),
        }
    )


def write_test_split(folder: Path, table):
    (folder / "test").mkdir(parents=True)
    half = table.num_rows // 2
    pq.write_table(table.slice(0, half), folder / "test" / "part-00000.parquet")
    pq.write_table(table.slice(half), folder / "test" / "part-00001.parquet")
    return folder


@dataclass
class World:
    """One evaluation: change a field, then `run`."""

    root: Path
    model: Path
    examples: Path
    baseline: Path
    thresholds: dict = field(default_factory=dict)
    slices: list = field(default_factory=list)
    config: EvaluationConfig = field(default_factory=EvaluationConfig)

    @property
    def out(self) -> Path:
        return self.root / "out"

    def run(self) -> Outcome:
        return evaluate_model(
            self.model, self.examples, self.baseline, baseline_uri="file:///models/old", recipe="9" * 64,
            thresholds=self.thresholds, slices=self.slices, evaluation=self.out / "evaluation",
            golden_requests=self.out / "golden_requests", report=self.out / "report.html",
            evaluated_model=self.out / "evaluated_model", config=self.config,
        )  # fmt: skip

    def set_table(self, table):
        self.examples = write_test_split(self.root / f"examples-{len(list(self.root.iterdir()))}", table)

    def set_model(self, **choices):
        self.model = make_model(self.root / "candidate", **choices)

    def set_baseline(self, **choices):
        self.baseline = make_model(self.root / "old", **choices)
        seal_model(self.baseline)


@pytest.fixture
def make_world(tmp_path):
    """Return a function that makes a world of a task, without a baseline."""

    def make(task="binary", *, rows=600, seed=7, **choices) -> World:
        model = make_model(tmp_path / "model", task=task, **choices)
        write_no_baseline(tmp_path / "none")
        examples = write_test_split(tmp_path / "examples", make_table(rows, task=task, seed=seed))
        return World(root=tmp_path, model=model, examples=examples, baseline=tmp_path / "none")

    return make


@pytest.fixture
def make_split(tmp_path):
    """Return a function that writes a table as the test split of `examples`."""

    def make(table):
        folder = tmp_path / "examples"
        (folder / "test").mkdir(parents=True)
        pq.write_table(table, folder / "test" / "part-00000.parquet")
        return folder

    return make

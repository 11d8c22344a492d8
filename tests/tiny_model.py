"""A complete model folder made by hand: three raw inputs, one formula, small enough to check on paper."""

from __future__ import annotations

import math
from pathlib import Path

from components.common.artifacts import (
    MISSING_INTEGER,
    Evaluation,
    ModelRecord,
    Signature,
    write_evaluation,
    write_model_record,
    write_signature,
)
from components.common.golden import write_golden_requests
from components.common.seal import model_digest, seal_model
from components.common.twin.program import write_program
from tests.tiny_twin import tiny_program

SIGNATURE = Signature(
    inputs=[
        {"name": "age", "kind": "float", "datatype": "FP32", "optional": True, "example": 1.5},
        {"name": "seats", "kind": "integer", "datatype": "INT64", "optional": False, "example": 2},
        {"name": "carrier", "kind": "string", "datatype": "BYTES", "optional": True, "example": "AA"},
    ],
    outputs=[{"name": "probability", "datatype": "FP32", "shape": [-1], "classes": ["0", "1"]}],
)
V2, V1 = "/v2/models/tiny/infer", "/v1/models/tiny:predict"  # where it answers, by protocol
ROWS = [
    {"age": 1.5, "seats": 2, "carrier": "AA"},
    {"age": None, "seats": 1, "carrier": "UA"},
    {"age": -3.25, "seats": 0, "carrier": "never seen"},
    {"age": 0.5, "seats": -4, "carrier": None},
]


def expected_probability(row: dict, weight: float = 1.0) -> float:
    """The oracle: the model's formula in Python floats."""
    carrier = {"AA": 1.0, "UA": -1.0}.get(row.get("carrier") or "", 0.0)
    return 1 / (1 + math.exp(-weight * ((row.get("age") or 0.0) * 0.1 + row["seats"] * 0.5 + carrier)))


def write_tiny_model(
    folder: Path, *, weight: float = 1.0, passed: bool = True, golden_weight: float | None = None,
    recipe: str = "r1", baseline: dict | None = None, broken_seats: int | None = None,
    twin_weight: float | None = None, twin_obstacle: str | None = None,
) -> Path:  # fmt: skip
    """Write a complete model; `golden_weight` makes golden requests that the model does not answer so.

    To `broken_seats` seats it answers with no number. It has a twin, of the same weight unless
    `twin_weight` says another, and proven unless there is an obstacle.
    """
    _save_graph(folder / "1", weight, broken_seats)
    program = tiny_program(weight if twin_weight is None else twin_weight, broken_seats)
    (folder / "twin").mkdir()
    write_program(folder / "twin", program)
    write_signature(folder, SIGNATURE)
    record = ModelRecord(
        task="binary", label="late", classes=["0", "1"], trial=0, hyperparameters={"weight": weight},
        validation={"auc": 0.7}, digests={"snapshot": "s"},
        twin={"steps": len(program.steps)},
    )  # fmt: skip
    write_model_record(folder, record)
    (folder / "schema.pbtxt").write_text("")
    (folder / "statistics.pb").write_bytes(b"")
    judged = Evaluation(
        recipe=recipe, model=model_digest(folder), baseline=baseline, rows=4, metrics={}, slices=[],
        thresholds={}, passed=passed, reasons=[] if passed else ["AUC is too low"],
        twin={"proven": twin_obstacle is None, "reason": twin_obstacle},
    )  # fmt: skip
    write_evaluation(folder, judged)
    write_golden_requests(folder, golden_rows(weight if golden_weight is None else golden_weight))
    seal_model(folder)
    return folder


def golden_rows(weight: float = 1.0) -> list[dict]:
    return [{"inputs": row, "outputs": {"probability": expected_probability(row, weight)}} for row in ROWS]


def v2_body(rows: list[dict]) -> dict:
    """The rows as a request of the Open Inference Protocol v2."""
    return {
        "inputs": [
            {"name": entry["name"], "datatype": entry["datatype"], "shape": [len(rows)],
             "data": [row[entry["name"]] for row in rows]}
            for entry in SIGNATURE.inputs
        ]
    }  # fmt: skip


def _save_graph(folder: Path, weight: float, broken_seats: int | None) -> None:
    import tensorflow as tf

    class Graph(tf.Module):
        def __init__(self):
            super().__init__()
            table = tf.lookup.KeyValueTensorInitializer(["AA", "UA"], [1.0, -1.0])
            self.table = tf.lookup.StaticHashTable(table, 0.0)
            self.weight = tf.Variable(weight)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.float32, "age"),
                tf.TensorSpec([None], tf.int64, "seats"),
                tf.TensorSpec([None], tf.string, "carrier"),
            ]
        )
        def serve(self, age, seats, carrier):
            age = tf.where(tf.math.is_nan(age), 0.0, age)
            seats = tf.where(seats == MISSING_INTEGER, tf.zeros_like(seats), seats)
            logit = age * 0.1 + tf.cast(seats, tf.float32) * 0.5 + self.table.lookup(carrier)
            if broken_seats is not None:
                logit = tf.where(seats == broken_seats, float("nan"), logit)
            return {"probability": tf.sigmoid(self.weight * logit)}

    graph = Graph()
    tf.saved_model.save(graph, str(folder), {"serving_default": graph.serve})

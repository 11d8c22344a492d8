"""Small transformed tables, made by the transform itself, one for each task."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.common.artifacts import Snapshot, write_snapshot
from components.training.train import Inputs
from components.transform.config import TransformConfig
from components.transform.transform import transform_examples

KINDS = {"x (m/s)": "float", "n": "integer", "colour": "string", "day": "date"}
LABEL_KINDS = {"binary": "string", "multiclass": "integer", "regression": "float"}
COLOURS = ["red", "green", "blue"]
LABELS = {
    "binary": lambda score: [["no", "yes"][int(value > 0)] for value in score],
    "multiclass": lambda score: [int(value > -1) + int(value > 1) for value in score],
    "regression": lambda score: [1000.0 + 50.0 * value for value in score],
}


def _table(task, seed, rows):
    draw = np.random.default_rng(seed)
    x, colour = draw.normal(0, 3, rows), draw.integers(0, 3, rows)
    score = x * 0.5 + (colour - 1.0) * 2.0
    days = [
        f"2024-{month:02d}-{day:02d}"
        for month, day in zip(draw.integers(1, 13, rows), draw.integers(1, 29, rows), strict=True)
    ]
    return pa.table({
        "x (m/s)": [None if place % 9 == 0 else float(value) for place, value in enumerate(x)],
        "n": draw.integers(0, 5, rows),
        "colour": [COLOURS[place] for place in colour],
        "day": days,
        "y": LABELS[task](score),
    })  # fmt: skip


def _write_schema(folder, kinds):
    schema = schema_pb2.Schema()
    types = {"integer": schema_pb2.INT, "float": schema_pb2.FLOAT}
    for name, kind in kinds.items():
        feature = schema.feature.add(name=name, type=types.get(kind, schema_pb2.BYTES))
        feature.presence.min_fraction = 0.5 if name == "x (m/s)" else 1.0
        if kind == "date":
            feature.time_domain.string_format = "%Y-%m-%d"
    folder.mkdir()
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema), encoding="utf-8")


def _write_statistics(folder):
    found = statistics_pb2.DatasetFeatureStatisticsList()
    train = found.datasets.add(name="train")
    train.features.add(name="x (m/s)").num_stats.histograms.add().buckets.add(
        low_value=-6.0, high_value=6.0
    )
    train.features.add().path.step.append("colour")
    for colour in COLOURS:
        train.features[-1].string_stats.top_values.add(value=colour, frequency=3)
    folder.mkdir()
    (folder / "statistics.pb").write_bytes(found.SerializeToString(deterministic=True))


def _prepare(folder: Path, task: str) -> Inputs:
    for split, seed, rows in (("train", 1, 600), ("eval", 2, 200)):
        (folder / "examples" / split).mkdir(parents=True)
        pq.write_table(_table(task, seed, rows), folder / "examples" / split / "part-00000.parquet")
    kinds = {**KINDS, "y": LABEL_KINDS[task]}
    _write_schema(folder / "schema", kinds)
    _write_statistics(folder / "statistics")
    snapshot = Snapshot(version="0" * 64, sources={}, query=None, split={}, rows={}, columns=kinds)
    write_snapshot(folder / "snapshot", snapshot)
    transform_examples(
        folder / "examples", folder / "schema", transform_graph=folder / "graph",
        transformed_examples=folder / "transformed", report=folder / "report.html", label="y",
        task=task, features={}, module=None, config=TransformConfig(),
    )  # fmt: skip
    return Inputs(
        folder / "transformed",
        folder / "graph",
        folder / "schema",
        folder / "statistics",
        folder / "snapshot",
    )


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Return a function from a task to the inputs of training; each is made once."""
    made: dict[str, Inputs] = {}

    def of(task: str) -> Inputs:
        if task not in made:
            made[task] = _prepare(tmp_path_factory.mktemp(task), task)
        return made[task]

    return of


@pytest.fixture(scope="session")
def port():
    """Return a stand-in for a KFP artifact: what an executor hands to a door."""

    def make(path) -> SimpleNamespace:
        artifact = SimpleNamespace(path=str(path), metadata={})
        artifact.log_metric = artifact.metadata.__setitem__
        return artifact

    return make

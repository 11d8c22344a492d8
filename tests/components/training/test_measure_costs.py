"""What it costs to serve, of a model exported by a real trial."""

import polars as pl

from components.common.artifacts import split_files
from components.training.config import TrainingConfig
from components.training.records import read_records
from components.training.train import train_batch


def test_costs_are_measured_when_an_objective_or_a_constraint_names_them(prepared, tmp_path):
    point = {"form": "linear", "epochs": 1, "bins": 0}
    config = TrainingConfig(objectives=["auc", "latency_ms"], constraints={"weights": {"max": 1_000}})
    inputs = prepared("binary")
    train_batch(
        {"trials": [{"number": 0, "seed": 0, "hyperparameters": point}]}, inputs, module=None,
        model=tmp_path / "model", curves=tmp_path / "curves.html", config=config,
    )  # fmt: skip
    _, (record,) = read_records(tmp_path / "model")
    assert record.error is None
    rows = pl.read_parquet(split_files(inputs.transformed_examples, "train"))
    columns = [name for name, kind in rows.schema.items() if kind.is_integer() and name != "label"]
    counts = [rows[name].value_counts()["count"] for name in columns]
    frequent = sum(int((each >= len(rows) // 100).sum()) for each in counts)
    assert len(columns) == 5
    # One weight per number (x, whether it is missing, days), per frequent value of each index and for its
    # rare ones, and one bias.
    assert record.metrics["weights"] == 3 + frequent + 5 + 1
    assert 0.01 < record.metrics["latency_ms"] < 1_000

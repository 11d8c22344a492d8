"""What it costs to serve, of a model exported by a real trial."""

from components.training.config import TrainingConfig
from components.training.records import read_records
from components.training.train import train_batch


def test_costs_are_measured_when_an_objective_or_a_constraint_names_them(prepared, tmp_path):
    point = {"form": "linear", "epochs": 1, "bins": 0}
    config = TrainingConfig(objectives=["auc", "latency_ms"], constraints={"weights": {"max": 1_000}})
    train_batch(
        {"trials": [{"number": 0, "seed": 0, "hyperparameters": point}]}, prepared("binary"), module=None,
        model=tmp_path / "model", curves=tmp_path / "curves.html", config=config,
    )  # fmt: skip
    _, (record,) = read_records(tmp_path / "model")
    assert record.error is None
    # One weight per number (x, whether it is missing, days) and per value of each index, and one bias.
    assert record.metrics["weights"] == 3 + (7 + 5 + 13 + 32 + 8) + 1
    assert 0.01 < record.metrics["latency_ms"] < 1_000

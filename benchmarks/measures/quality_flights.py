"""The best of eight trials on the flights against scikit-learn's gradient boosting, by hash and by time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from benchmarks.quality_runs import compare, run_training
from benchmarks.record import Condition, Record, judge

FLIGHTS = Path("pipelines/parameters/flights.yaml")
TRIALS = 8
SPLITS = {
    "hash": {"by": "hash", "fractions": {"train": 0.8, "eval": 0.1, "test": 0.1}},
    "time": {"by": "time", "column": "month", "eval_from": 9, "test_from": 11},
}


def measure() -> Record:
    """Run both splits; ours is the smaller lead in AUC on the test split, below zero when behind."""
    leads: dict[str, float] = {}
    conditions: dict[str, Condition] = {}
    with tempfile.TemporaryDirectory() as root:
        for name, split in SPLITS.items():
            parameters = yaml.safe_load(FLIGHTS.read_text(encoding="utf-8"))
            parameters |= {"trials": TRIALS, "split": split, "validation": {}}
            ours, reference = compare(run_training(parameters, Path(root)), "auc")
            leads[name] = ours - reference
            conditions |= {f"{name}_ours": round(ours, 4), f"{name}_reference": round(reference, 4)}
    return judge(
        "quality_flights", min(leads.values()), at="least", bound=-0.01,
        conditions={
            "unit": "AUC on the test split, ours less the reference's, the smaller of two splits",
            "reference": "scikit-learn HistGradientBoostingClassifier, same rows and columns",
            "trials": TRIALS, **conditions,
        },
    )  # fmt: skip

"""A search of one trial, with nothing but defaults, against logistic regression."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from benchmarks.measures.flights_auc import compare_run
from benchmarks.measures.quality_flights import FLIGHTS
from benchmarks.quality_runs import run_training
from benchmarks.record import Record


def measure() -> Record:
    """Train one trial on the flights and compare its test AUC."""
    with tempfile.TemporaryDirectory() as root:
        parameters = yaml.safe_load(FLIGHTS.read_text(encoding="utf-8")) | {"trials": 1}
        return compare_run("quality_one_trial", run_training(parameters, Path(root)))

"""What weather and planes are worth: test AUC with them and without, on days that no model saw."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.record import Record, judge
from components.common.artifacts import Evaluation, read_evaluation
from components.common.errors import UnavailableError

WITH = "pipelines/parameters/flights_weather.yaml"
ALONE = "pipelines/parameters/flights.yaml"
BY_DAY = "{by: hash, key: [month, day], fractions: {train: 0.8, eval: 0.1, test: 0.1}}"


def measure() -> Record:
    """Train both with equal trials on equal rows of equal splits; results in the cache are taken."""
    ours = _train(WITH)
    peer = _train(ALONE, f"split={BY_DAY}", "model_name=flights-by-day")
    return judge(
        "flights_weather_auc",
        ours.metrics["auc"]["value"],
        peer=peer.metrics["auc"]["value"],
        at="least",
        bound=1.0,
        conditions={
            "unit": "AUC on the test split: whole days that were not trained on",
            "peer": "the same pipeline on the flights alone, same rows, split, trials and seed",
            "low": ours.metrics["auc"]["low"],
            "high": ours.metrics["auc"]["high"],
            "peer_low": peer.metrics["auc"]["low"],
            "peer_high": peer.metrics["auc"]["high"],
            "test_rows": ours.rows,
            "test_rows_of_peer": peer.rows,
        },
    )


def _train(params: str, *settings: str) -> Evaluation:
    chosen = [part for setting in (*settings, "deploy={target: none}") for part in ("-p", setting)]
    command = [".venv/bin/millrace", "run", "training", "--json", "--params", params, *chosen]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout or "{}")
    for ports in result.get("outputs", {}).values():
        if isinstance(port := ports.get("evaluated_model"), dict):
            return read_evaluation(Path(port["uri"]))
    raise UnavailableError("the run made no model", where=params, value=result.get("error"))

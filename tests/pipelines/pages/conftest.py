"""A run that went all the way, written by hand as the runner and the rooms write it."""

import json
import shutil
from pathlib import Path

import pytest

from components.common.artifacts import (
    Endpoint,
    Evaluation,
    ModelRecord,
    Signature,
    Snapshot,
    write_endpoint,
    write_evaluation,
    write_model_card,
    write_model_record,
    write_signature,
    write_snapshot,
)
from components.common.documents import write_json
from components.common.golden import write_golden_requests
from tests.loopback import Answering, listening

URL = "http://127.0.0.1:8080/v2/models/houses/infer"
CARD = """# Model card: price

## Intended use

Prices. ![p](http://192.0.2.1/p.png) [l](http://192.0.2.1/) <script>alert(1)</script>

## By slice

| Slice | Rows |
| --- | --- |
| north | 40 |
"""


@pytest.fixture
def complete(tmp_path):
    folder = tmp_path / "runs" / "training" / "r2"
    folder.mkdir(parents=True)
    shutil.copyfile("tests/golden/training.yaml", folder / "package.yaml")
    _write_data(folder)
    _write_model(folder)
    ports = {
        "ingest": ["snapshot"],
        "select-best": ["best_model", "leaderboard"],
        "evaluate": ["evaluation", "evaluated_model", "golden_requests"],
        "deploy-model": ["endpoint"],
    }
    outputs = {task: {port: {"uri": str(folder / port)} for port in names} for task, names in ports.items()}
    names = ["ingest", "data-gate", "train-trials-0", "train-trials-1", "train-trials-2", "deploy-model"]
    return {
        "run_id": "r2",
        "pipeline": "training",
        "state": "SUCCEEDED",
        "seconds": 9.0,
        "directory": str(folder),
        "outputs": outputs,
        "endpoint": {"name": "houses", "url": URL},
        "parameters": {"label": "price", "model_name": "houses", "query": "SELECT *\nFROM houses"},
        "package_digest": "cd" * 32,
        "created": "2026-01-02T03:04:05Z",
        "tasks": [_task(name, number) for number, name in enumerate(names)],
    }


def _task(name, number):
    failed = name == "train-trials-2"
    return {
        "name": name, "state": "FAILED" if failed else "SUCCEEDED", "seconds": 1.5, "cpu_seconds": 1.0,
        "peak_memory_bytes": 2_000_000, "cache_hit": False, "attempts": 1, "verdict": None,
        "message": "exit code 1" if failed else None, "began_seconds": 1.5 * number,
    }  # fmt: skip


def _write_data(folder: Path):
    source = {"uri": "/d/houses.csv", "bytes": 9, "sha256": "12" * 32}
    rows = {"train": 800, "eval": 100, "test": 100}
    write_snapshot(
        folder / "snapshot",
        Snapshot(
            version="ab" * 32, sources={"houses": [source]}, query=None, split={}, rows=rows, columns={}
        ),
    )


def _write_model(folder: Path):
    digests = dict.fromkeys(("snapshot", "schema", "transform_graph", "transformed_examples"), "34" * 32)
    model = ModelRecord(
        task="regression", label="price", classes=[], trial=1, hyperparameters={"units": 32},
        validation={"mse": 24.0}, digests=digests,
    )  # fmt: skip
    write_model_record(folder / "best_model", model)
    trials = [(1, 24.0, 32, None), (0, 26.0, 64, None), (2, None, 128, "trial 2 ran out of memory")]
    rows = [
        {"number": n, "state": "failed" if error else "complete", "error": error, "curve": [],
         "hyperparameters": {"units": units, "layers": 2} | ({"bins": 16} if n == 1 else {}),
         "metrics": {} if error else {"mse": value}}
        for n, value, units, error in trials
    ]  # fmt: skip
    (folder / "leaderboard").mkdir()
    board = {"objective": "mse", "direction": "minimise", "rows": rows, "reference": {"mse": 36.0}}
    write_json(folder / "leaderboard" / "leaderboard.json", board)
    mse = {"value": 25.0, "low": 20.0, "high": 30.0}
    others = {"constant": 400.0, "reference": 36.0}
    evaluation = Evaluation(
        recipe="r", model="56" * 32, baseline=None, rows=100, metrics={"mse": mse}, slices=[],
        thresholds={},         passed=True,
        reasons=[],
        comparisons={
            who: {"who": who, "metrics": {"mse": {"value": value}}, "differences": {}}
            for who, value in others.items()
        },
    )  # fmt: skip
    write_evaluation(folder / "evaluation", evaluation)
    write_model_card(folder / "evaluated_model", CARD)
    area = {"name": "area", "kind": "float", "datatype": "FP32", "optional": True, "example": 80.5}
    write_signature(folder / "evaluated_model", Signature(inputs=[area], outputs=[]))
    requests = [{"inputs": {"area": 80.5, "gone": None}, "outputs": {"prediction": 1.0}}]
    write_golden_requests(folder / "golden_requests", requests)
    endpoint = Endpoint(
        name="houses", target="local", url=URL, revision="565656", model_digest="56" * 32, model_uri="/m",
        traffic={"565656": 100}, golden_requests=1,
    )  # fmt: skip
    write_endpoint(folder / "endpoint", endpoint)


@pytest.fixture
def httpserver_url():
    """A server that notes what it is asked: its address, and the list of bodies."""
    asked = []

    class Note(Answering):
        def answer(self):
            asked.append(json.loads(self.read()))
            self.send(200, b'{"outputs": []}')

    with listening(Note) as address:
        yield address, asked

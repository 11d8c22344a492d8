"""What the twin of the flights' model takes a run: to derive it, and to prove it."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.latest_run import artifact, latest_run
from benchmarks.record import Record, judge
from components.common.errors import RefusedError
from components.evaluation.config import EvaluationConfig
from components.evaluation.predict import load_model
from components.evaluation.prove_twin import TwinProof, prove_twin
from components.evaluation.read import read_rows
from components.training.twin.derive import write_twin

REPEATS = 3


def measure() -> Record:
    """Derive and prove it, each time of a SavedModel loaded anew that has answered the test split.

    Raises:
        RefusedError: The twin is not proven.
    """
    run = latest_run()
    rounds = [_derive_and_prove(run) for _ in range(REPEATS)]
    derived, proved = (statistics.median(times) for times in zip(*(one[:2] for one in rounds), strict=True))
    proof = rounds[0][2]
    return judge(
        "twin_proof", statistics.median(sum(one[:2]) for one in rounds), at="most", bound=5.0,
        conditions={
            "unit": "seconds, wall, median", "repeats": REPEATS, "derive_seconds": round(derived, 3),
            "prove_seconds": round(proved, 3), "first_seconds": round(sum(rounds[0][:2]), 3),
            "test_rows": proof.rows, "directed_rows": proof.directed,
            "without": "imports, loading the SavedModel, its answers to the test split",
            "run": str(run["run_id"]),
        },
    )  # fmt: skip


def _derive_and_prove(run: Mapping[str, Any]) -> tuple[float, float, TwinProof]:
    config = EvaluationConfig()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        shutil.copytree(artifact(run, "best_model"), folder, ignore=shutil.ignore_patterns("twin"))
        model = load_model(folder)
        rows = read_rows(artifact(run, "examples"), "test", model.record, columns=model.inputs)
        answers = model.answer(rows.table, batch_size=config.batch_size)
        started = time.perf_counter()
        write_twin(folder, model.serve.model)
        derived = time.perf_counter()
        proof = prove_twin(model, rows.table, answers, batch_size=config.batch_size)
        proved = time.perf_counter()
    if not proof.proven:
        raise RefusedError(f"the flights' twin is not proven: {proof.reason}", where=str(run["run_id"]))
    return derived - started, proved - derived, proof

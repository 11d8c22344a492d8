"""What a search costs beside its trials: proposing four rounds by TPE, and the leaderboard."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.record import Record, judge
from components.common.artifacts import ModelRecord, write_model_record
from components.training.config import TrainingConfig
from components.training.objectives import Rule, read_rule
from components.training.propose import propose_next, propose_points
from components.training.records import TrialRecord, write_records
from components.training.search import plan_search
from components.training.search_space import DEFAULT_SPACE
from components.training.select_best import select_best_model

TRIALS, ROUNDS = 120, 4


def measure() -> Record:
    """Time a search whose trials are a known function, so that nothing but bookkeeping is left."""
    config = TrainingConfig()
    with tempfile.TemporaryDirectory() as scratch:
        start = time.process_time()
        records = _search(config, read_rule("binary", config))
        proposed = time.process_time()
        folders = [_write(Path(scratch) / str(record.number), record) for record in records]
        written = time.process_time()
        out = Path(scratch)
        select_best_model(
            folders, best_model=out / "best", leaderboard=out / "board", report=out / "board.html",
            config=config,
        )  # fmt: skip
        seconds = proposed - start + time.process_time() - written
    return judge(
        "search_bookkeeping", round(1_000 * seconds / TRIALS, 2), at="most", bound=50.0,
        conditions={
            "unit": "processor milliseconds a trial, imports included", "trials": TRIALS, "rounds": ROUNDS,
            "proposing_seconds": round(proposed - start, 2),
        },
    )  # fmt: skip


def _search(config: TrainingConfig, rule: Rule) -> list[TrialRecord]:
    search = plan_search(
        DEFAULT_SPACE, trials=TRIALS, sampler="tpe", seed=0, trials_per_task=1, rounds=ROUNDS, config=config
    )
    records: list[TrialRecord] = []
    for place in range(ROUNDS):
        batches = propose_next(search, place, records, rule) if place else propose_points(search)
        records += [_train(trial, place) for batch in batches for trial in batch["trials"]]
    return records


def _train(trial: dict[str, Any], place: int) -> TrialRecord:
    point = trial["hyperparameters"]
    return TrialRecord(
        number=trial["number"], state="complete", hyperparameters=point, round=place,
        metrics={"auc": 0.8 - abs(point["learning_rate"] - 4e-3) - point["dropout"] / 10},
    )  # fmt: skip


def _write(folder: Path, record: TrialRecord) -> Path:
    write_records(folder, "binary", [record])
    model = ModelRecord(
        task="binary", label="y", classes=["0", "1"], trial=record.number, hyperparameters={},
        validation={}, digests={},
    )  # fmt: skip
    write_model_record(folder, model)
    return folder

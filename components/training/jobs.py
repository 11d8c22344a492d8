"""What passes between a task and the processes it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.documents import read_json, write_document
from components.training.config import ClassWeight


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a trial needs.

    Attributes:
        seed: Of weights and batches.
        hyperparameters: The point, defaults filled in.
        transformed_examples: Folder of the transform.
        transform_graph: Folder of the transform.
        schema: Folder of data validation.
        statistics: Folder of data validation.
        module: Python file that defines `build_model`, or None.
        start: Folder of the model to begin with, or None.
        class_weight: As in `TrainingConfig`.
        folds: As in `TrainingConfig`.
        accelerator: As in `TrainingConfig`.
        threads: Threads to compute with.
        checkpoints: Path or address of the folder for this trial's checkpoints.
        checkpoint_seconds: Seconds between two of them.
        verification_rows: Raw rows to answer for the check of the export.
        output: Existing folder for `result.json`, `check.json` and `model/`.
        costs: Which of `COSTS` to measure.
        limits: By epoch, the eval loss above which the trial is hopeless; empty: it never is.
    """

    seed: int
    hyperparameters: dict[str, Any]
    transformed_examples: str
    transform_graph: str
    schema: str
    statistics: str
    module: str | None
    start: str | None
    class_weight: ClassWeight
    folds: int | None
    accelerator: str
    threads: int
    checkpoints: str
    checkpoint_seconds: float
    verification_rows: int
    output: str
    costs: list[str]
    limits: list[float]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a trial: `result.json`.

    Attributes:
        metrics: On the eval split, by name; empty after an error.
        curve: One point per epoch.
        error: Why it failed, or None.
        unavailable: Whether something outside failed and not the trial.
        stopped: Whether it was ended as hopeless; `error` says how.
    """

    metrics: dict[str, float]
    curve: list[dict[str, float]]
    error: str | None
    unavailable: bool = False
    stopped: bool = False


@dataclass(frozen=True, kw_only=True)
class Check:
    """Raw rows and the answers of the trained parts: `check.json`.

    Attributes:
        rows: Values by input; None is missing.
        answers: By row: a number, or one per class.
    """

    rows: dict[str, list[Any]]
    answers: list[Any]


def write_job(file: Path, job: Job) -> None:
    """Write a job for a process to come."""
    write_document(file, job)


def read_result(output: Path) -> Result | None:
    """Return the result in a trial's output folder, or None when it ended without a word."""
    file = output / "result.json"
    return Result(**read_json(file)) if file.exists() else None

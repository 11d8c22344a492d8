"""What became of each trial: `trials.json`, in the model folder of a task."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from components.common.artifacts import Task
from components.common.documents import read_document, write_document
from components.common.errors import BadInputError


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One trial.

    Attributes:
        number: Its number in the search.
        state: `complete`; `failed`: it raised, crashed, hung, or a metric is missing or no number;
            `stopped`: it was hopeless, see `stop_hopeless`.
        hyperparameters: Its point, defaults filled in.
        metrics: On the eval split; empty when it failed.
        curve: One point per epoch: `epoch`, `train_loss`, `eval_loss`, `learning_rate`.
        error: Why it failed or was stopped, one line; None when it is complete.
        round: Of the search, from 0.
        parent: Number of the trial whose hyperparameters it has, and whose weights it began with when
            they were kept; None for a point of its own.
    """

    number: int
    state: Literal["complete", "failed", "stopped"]
    hyperparameters: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    curve: list[dict[str, float]] = field(default_factory=list)
    error: str | None = None
    round: int = 0
    parent: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrialRecords:
    """`trials.json`.

    Attributes:
        task: What was learnt; it names the objective.
        trials: Fields of `TrialRecord`, by number.
    """

    task: Task
    trials: list[dict[str, Any]]


def write_records(folder: Path, task: Task, records: list[TrialRecord]) -> None:
    """Write `trials.json` into a folder."""
    listed = [asdict(record) for record in sorted(records, key=lambda record: record.number)]
    write_document(folder / "trials.json", TrialRecords(task=task, trials=listed))


def read_records(folder: Path) -> tuple[Task, list[TrialRecord]]:
    """Read `trials.json`.

    Raises:
        BadInputError: It is missing or malformed.
    """
    document = read_document(folder / "trials.json", TrialRecords)
    try:
        return document.task, [TrialRecord(**trial) for trial in document.trials]
    except TypeError as error:
        raise BadInputError(f"malformed trial record: {error}", where=folder / "trials.json") from error

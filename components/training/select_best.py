"""Choosing the best model of all tasks and writing the leaderboard."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from components.common.artifacts import Task, read_model_record
from components.common.documents import write_document
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.training.config import TrainingConfig
from components.training.objectives import OBJECTIVES
from components.training.records import TrialRecord, rank_records, read_records


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """`leaderboard.json`.

    Attributes:
        objective: Metric on the eval split that ranks.
        direction: `maximise` or `minimise`.
        rows: Fields of `TrialRecord`, best first, failed ones last.
    """

    objective: str
    direction: str
    rows: list[dict[str, Any]]


class Best(NamedTuple):
    """The winner.

    Attributes:
        trial: Its number.
        objective: Name of the metric that ranked it.
        value: Its value on the eval split.
        complete: Trials that came to an end.
        failed: Trials that did not.
    """

    trial: int
    objective: str
    value: float
    complete: int
    failed: int


def select_best_model(
    models: Sequence[Path], *, best_model: Path, leaderboard: Path, config: TrainingConfig
) -> Best:
    """Rank all trials and copy the winner.

    Args:
        models: Output `model` of each task: `trials.json`, and the task's best model unless all failed.
        best_model: Folder to write: the winner without `trials.json`.
        leaderboard: Folder to write: `leaderboard.json`.
        config: How many trials must be complete.

    Raises:
        BadInputError: Fewer than `min_successful` trials are complete (the first errors are named), or a
            task's folder is malformed.
    """
    task, records = _gather(models)
    ranked = rank_records(records, task)
    failed = [record for record in ranked if record.state == "failed"]
    if len(records) - len(failed) < config.min_successful:
        errors = "; ".join(f"trial {record.number}: {record.error}" for record in failed[:3])
        what = f"{len(records) - len(failed)} of {len(records)} trials are complete"
        raise BadInputError(what, where="search", value=errors, fix=f"{config.min_successful} are needed")
    winner, objective = ranked[0], OBJECTIVES[task]
    folder = _folder_of(models, winner.number)
    board = Leaderboard(
        objective=objective.metric,
        direction=objective.direction,
        rows=[asdict(record) for record in ranked],
    )
    with publishing(best_model) as model_draft, publishing(leaderboard) as draft:
        shutil.copytree(folder, model_draft, ignore=shutil.ignore_patterns("trials.json"))
        draft.mkdir()
        write_document(draft / "leaderboard.json", board)
    value = winner.metrics[objective.metric]
    return Best(winner.number, objective.metric, value, len(records) - len(failed), len(failed))


def _gather(models: Sequence[Path]) -> tuple[Task, list[TrialRecord]]:
    if not models:
        raise BadInputError("no trial was run", where="models", fix="ask for at least one trial")
    found = [read_records(folder) for folder in models]
    return found[0][0], [record for _, records in found for record in records]


def _folder_of(models: Sequence[Path], number: int) -> Path:
    for folder in models:
        if (folder / "model.json").exists() and read_model_record(folder).trial == number:
            return folder
    raise BadInputError("the best trial's task kept no model of it", where="models", value=number)

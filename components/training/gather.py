"""Gathering what the tasks of a search left: records of all trials, models of some."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from components.common.artifacts import Task, read_model_record
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.training.config import TrainingConfig
from components.training.objectives import read_rule
from components.training.rank_records import is_eligible, rank_records
from components.training.records import TrialRecord, read_records, write_records


def gather_records(models: Sequence[Path]) -> tuple[Task, list[TrialRecord]]:
    """Read the records of all trials.

    Args:
        models: Output `model` of each task, and the `history` of earlier rounds.

    Raises:
        BadInputError: There is none, one is malformed, or two trials bear the same number.
    """
    if not models:
        raise BadInputError("no trial was run", where="models", fix="ask for at least one trial")
    found = [read_records(folder) for folder in models]
    records = [record for _, listed in found for record in listed]
    numbers = [record.number for record in records]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise BadInputError("two trials bear the same number", where="models", value=twice)
    return found[0][0], records


def find_models(models: Sequence[Path]) -> dict[int, Path]:
    """Return the folders that hold a model, by the number of its trial."""
    return {
        read_model_record(folder).trial: folder for folder in models if (folder / "model.json").exists()
    }


def write_history(models: Sequence[Path], history: Path, config: TrainingConfig) -> None:
    """Write all records and the best model into one folder, like the output `model` of one task.

    Args:
        models: As above.
        history: Folder to write.
        config: Says what is best.
    """
    task, records = gather_records(models)
    rule = read_rule(task, config)
    kept = find_models(models)
    ranked = rank_records([record for record in records if record.number in kept], rule)
    with publishing(history) as draft:
        draft.mkdir()
        if ranked and is_eligible(ranked[0], rule):
            folder = kept[ranked[0].number]
            ignored = shutil.ignore_patterns("trials.json")
            shutil.copytree(folder, draft, dirs_exist_ok=True, ignore=ignored)
        write_records(draft, task, records)

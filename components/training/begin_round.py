"""Beginning a later round of a search: told of all results, and with the models that go on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.common.storage import publishing
from components.training.config import TrainingConfig
from components.training.gather import find_models, gather_records, write_history
from components.training.objectives import read_rule
from components.training.propose import propose_next
from components.training.search import Search


def begin_round(
    search: Search, place: int, folders: Sequence[Path], *, before: Path, start: Path, history: Path,
    config: TrainingConfig,
) -> list[dict[str, Any]]:  # fmt: skip
    """Propose the trials of a round.

    Args:
        search: What is searched.
        place: The round, from 1.
        folders: Output `model` of each task of the round before, and `history` of those before it.
        before: Artifact `start` of the round before.
        start: Folder to write: the same, and `trials/N/` with the models of the trials that go on.
        history: Folder to write: all records so far and the best model.
        config: Says what is best.

    Returns:
        Batches, see `propose_next`.

    Raises:
        BadInputError: A folder is malformed, or there is nothing to go on with.
    """
    task, records = gather_records(folders)
    rule = read_rule(task, config)
    batches = propose_next(search, place, records, rule, stop_hopeless=config.stop_hopeless)
    proposed = [trial for batch in batches for trial in [*batch["trials"], *batch.get("spares", [])]]
    parents = {trial["parent"] for trial in proposed if "parent" in trial}
    with publishing(start) as draft:
        shutil.copytree(before, draft, ignore=shutil.ignore_patterns("trials"))
        for number, folder in find_models(folders).items():
            if number in parents:
                ignored = shutil.ignore_patterns("trials.json")
                shutil.copytree(folder, draft / "trials" / str(number), ignore=ignored)
    write_history(folders, history, config)
    return batches

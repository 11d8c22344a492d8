"""Choosing what trials begin with: the baseline model, or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from components.common.artifacts import baseline_model, write_no_baseline
from components.common.storage import publishing


def choose_start(baseline: Path | None, start: Path, *, warm_start: bool) -> None:
    """Write the artifact that trials begin with, which stays the same while no warm start is asked for.

    A baseline changes whenever a model is deployed; if trials took it as it is, no cache would answer.

    Args:
        baseline: Artifact `baseline`, or None.
        start: Folder to write: a copy of the baseline model, or `no_baseline.json`.
        warm_start: Whether one is asked for.

    Raises:
        BadInputError: `baseline` holds neither a model nor `no_baseline.json`.
    """
    model = baseline_model(baseline) if warm_start and baseline else None
    with publishing(start) as draft:
        if model is not None:
            shutil.copytree(model, draft)
        else:
            draft.mkdir()
            write_no_baseline(draft)

"""The runs of a root: listed, and found by their names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError, ComponentError
from pipelines.local.claim import is_claimed
from pipelines.local.record import read_record


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a root.

    Attributes:
        run_id: Its name.
        folder: Its folder, absolute.
        record: What its `run.json` holds; the state is `KILLED` when its process ended without a word.
    """

    run_id: str
    folder: Path
    record: dict[str, Any]

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        """The records of its tasks by name, in the order in which they were reached."""
        return {task["name"]: task for task in self.record.get("tasks", [])}

    @property
    def is_under_way(self) -> bool:
        """It has not ended."""
        return self.record["state"] == "RUNNING"

    def again(self) -> Run:
        """Return it as it is now."""
        return _read(self.folder)


def list_runs(root: Path) -> list[dict[str, Any]]:
    """List the runs under a root, newest first.

    Returns:
        Their records. One that cannot be read has `run_id`, `pipeline`, `directory`, the state `DAMAGED`
        and the reason as `error`; one whose process was killed has the state `KILLED`.
    """
    return [run.record for run in read_runs(root)]


def read_runs(root: Path) -> list[Run]:
    """Return the runs under a root as `list_runs` lists them."""
    found = sorted(_folders(root), key=lambda one: one.name, reverse=True)
    return [_listed(folder) for folder in found]


def find_run(root: Path, run_id: str) -> Run:
    """Find a run by its id.

    Raises:
        BadInputError: There is none (the nearest is suggested), or its record cannot be read.
    """
    folders = {folder.name: folder for folder in _folders(root)}
    if run_id not in folders:
        fix = suggest(run_id, list(folders), otherwise="`millrace runs` lists the runs")
        raise BadInputError("no such run", where=root, value=run_id, fix=fix)
    return _read(folders[run_id])


def suggest(name: str, known: Sequence[str], *, otherwise: str) -> str:
    """Return a hint for a name that nobody knows: the nearest one, or something else to do."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else otherwise


def _folders(root: Path) -> list[Path]:
    found = [file.parent for file in root.absolute().glob("*/*/run.json")]
    return [folder for folder in found if not folder.name.startswith(".")]  # `clean` is removing those


def _listed(folder: Path) -> Run:
    try:
        return _read(folder)
    except ComponentError as error:
        place = {"run_id": folder.name, "pipeline": folder.parent.name, "directory": str(folder)}
        record = {**place, "state": "DAMAGED", "seconds": None, "error": str(error)}
        return Run(run_id=folder.name, folder=folder, record=record)


def _read(folder: Path) -> Run:
    claimed = is_claimed(folder)  # asked first: it may end between the two
    record = read_record(folder / "run.json")
    if record["state"] == "RUNNING" and not claimed:
        record = {**record, "state": "KILLED", "error": "its process ended without a word"}
    return Run(run_id=folder.name, folder=folder, record=record)

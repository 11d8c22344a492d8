"""Runs that were killed, were cancelled or failed, made ready to be gone on with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.common.errors import BadInputError
from pipelines.local.claim import Claim
from pipelines.local.finished import FOLDER, finished_labels
from pipelines.local.history import Run, find_run, read_runs
from pipelines.local.reading import read_package
from pipelines.local.record import RunRecord, TaskRecord, load_record

_UNFINISHED = ("KILLED", "CANCELLED", "FAILED")
_GO_ON = ("SUCCEEDED", "RUNNING", "QUEUED")


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A run that this process is to go on with: nobody else can until the claim is released.

    Attributes:
        folder: Its folder, absolute.
        record: Its record.
        claim: Says that it is under way.
    """

    folder: Path
    record: RunRecord
    claim: Claim

    @property
    def package(self) -> Path:
        """The package that it executes."""
        return self.folder / "package.yaml"

    def changes(self, code: Mapping[str, str], environments: Mapping[str, str]) -> list[str]:
        """Tell what is no longer as it was, and holds only for the tasks that are left."""
        before = {**self.record.code, **self.record.environments}
        now = {**code, **environments}
        changed = sorted(name for name in now if name in before and before[name] != now[name])
        kept = "what had finished stays; `millrace run --from` makes it anew"
        return [f"changed since the run began: {', '.join(changed)}; {kept}"] if changed else []

    def close(self) -> None:
        """Release the claim; a second time does nothing."""
        self.claim.release()

    def clear(self) -> RunRecord:
        """Remove what unfinished tasks left, and return the record as it then is.

        A task that was under way keeps the number of its attempts. One that had failed for good or was
        cancelled begins anew.
        """
        record, finished = self.record, finished_labels(self.folder)
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        for draft in [*self.folder.glob(".*.tmp-*"), *self.folder.glob(f"{FOLDER}/.*.tmp-*")]:
            draft.unlink(missing_ok=True)
        for task in record.tasks:
            if task.state != "SUCCEEDED" and task.name not in finished:
                _forget(task, self.folder)
        record.tasks = [one for one in record.tasks if one.state in _GO_ON or one.name in finished]
        record.directory, record.state, record.error = str(self.folder), "RUNNING", None
        for name in ("logs", "work"):
            (self.folder / name).mkdir(exist_ok=True)
        return record


def find_unfinished(root: Path, run_id: str | None) -> Run:
    """Find a run to go on with.

    Args:
        root: Folder of runs.
        run_id: The run; None for the newest that was killed, was cancelled or failed.

    Raises:
        BadInputError: There is none, or its record cannot be read.
    """
    if run_id is not None:
        return find_run(root, run_id)
    found = next((run for run in read_runs(root) if run.record["state"] in _UNFINISHED), None)
    if found is None:
        fix = "`millrace runs` lists the runs"
        raise BadInputError("no run was killed, was cancelled or failed", where=root, fix=fix)
    return found


def take_up(run: Run) -> Unfinished:
    """Claim a run to go on with it.

    Raises:
        UnavailableError: It is under way.
        BadInputError: Its record or its package is damaged.
    """
    claim = Claim(run.folder.parents[1], run.folder)
    try:
        record = load_record(run.folder / "run.json")
        unfinished = Unfinished(folder=run.folder, record=record, claim=claim)
        _require_same_package(unfinished)
    except BaseException:
        claim.release()
        raise
    return unfinished


def _require_same_package(run: Unfinished) -> None:
    if read_package(run.package).digest != run.record.package_digest:
        fix = "a run goes on with the package that it began with: put that back, or run the package anew"
        raise BadInputError("package was changed since the run began", where=run.package, fix=fix)


def _forget(task: TaskRecord, folder: Path) -> None:
    shutil.rmtree(folder / "artifacts" / task.name, ignore_errors=True)
    log = folder / "logs" / f"{task.name}.log"
    if task.state == "RUNNING":
        task.state = "QUEUED"
        if log.exists():
            log.rename(log.with_suffix(f".attempt-{task.attempts}.log"))

"""A run that begins: its folder, its record, and the names that its tasks may ask for."""

from __future__ import annotations

import shutil
import time
import uuid
from pathlib import Path

from components.common.storage import make_folder, not_writable, publishing
from pipelines.local.labels import safe_name
from pipelines.local.plan import Plan
from pipelines.local.record import RunRecord


def new_record(package: Path, plan: Plan, root: Path) -> RunRecord:
    """Make the folder of a run, with its package in it.

    Raises:
        BadInputError: The root cannot be written to.
        UnavailableError: There is no room left.
    """
    directory = _new_folder(root / safe_name(plan.pipeline))
    for name in ("logs", "work"):
        make_folder(directory / name)
    with publishing(directory / "package.yaml") as draft:
        shutil.copyfile(package, draft)
    return RunRecord(
        run_id=directory.name, pipeline=plan.pipeline, state="RUNNING", seconds=0.0,
        directory=str(directory), outputs={}, endpoint=None, error=None, parameters={},
        package_digest=plan.digest,
    )  # fmt: skip


def _new_folder(parent: Path) -> Path:
    """Make a folder that nobody else has: one of another run of the same second has another name."""
    make_folder(parent)
    while True:
        folder = parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise not_writable(error, folder) or error from error
        return folder


def job_names(plan: Plan, record: RunRecord) -> dict[str, str]:
    """Return what the placeholders of the job stand for; makes the workspace where the package has one."""
    names = {
        "pipeline_job_name": record.run_id, "pipeline_job_resource_name": record.run_id,
        "pipeline_job_uuid": record.run_id, "pipeline_job_create_time_utc": record.created,
        "pipeline_job_schedule_time_utc": record.created, "pipeline_root": record.directory,
    }  # fmt: skip
    if plan.workspace:
        workspace = Path(record.directory) / "workspace"
        make_folder(workspace)
        names["workspace_path"] = str(workspace)
    return names

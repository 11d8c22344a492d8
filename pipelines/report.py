"""The page of a run: `report.html` beside its `run.json`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.common.page import write_page
from components.common.storage import publishing
from pipelines.summary import summarise

_TEMPLATE = Path(__file__).with_name("report.html")


def write_report(record: Mapping[str, Any], folder: Path) -> Path:
    """Write the page of one run.

    Args:
        record: What `run.json` holds.
        folder: The run's folder. The rooms' reports are copied into its `reports/`; links are relative.

    Returns:
        Path of `report.html`.
    """
    summary = summarise(record["outputs"])
    longest = max((task["seconds"] or 0.0 for task in record["tasks"]), default=0.0)
    write_page(
        folder / "report.html",
        _TEMPLATE,
        title=f"{record['pipeline']} · {record['run_id']}",
        record=record,
        passed=record["state"] == "SUCCEEDED",
        lines=summary.lines,
        curl=summary.curl,
        longest=longest or 1.0,
        reports=_copy_reports(summary.reports, folder),
        logs=_logs(record, folder),
        parameters=yaml.safe_dump(record["parameters"], sort_keys=False, allow_unicode=True),
    )
    return folder / "report.html"


def _copy_reports(reports: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Copy the rooms' pages beside the run's: artifacts have no suffix, so no browser shows them."""
    copied: dict[str, str] = {}
    for task, page in reports.items():
        name = f"reports/{task}.html"
        with publishing(folder / name) as draft:
            shutil.copyfile(page, draft)
        copied[task] = name
    return copied


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _logs(record: Mapping[str, Any], folder: Path) -> dict[str, str]:
    files = {task["name"]: folder / "logs" / f"{task['name']}.log" for task in record["tasks"]}
    return {name: _relative(file, folder) for name, file in files.items() if file.exists()}

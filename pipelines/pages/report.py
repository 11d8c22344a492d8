"""The page of a run: `report.html` beside its `run.json`, one file that needs no network and no script."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.common.page import write_page
from components.common.storage import publishing
from pipelines.pages import findings
from pipelines.pages.layout import TONES
from pipelines.pages.tasks import TaskRow, task_graph, task_rows
from pipelines.summary import artifact_folders, summarise
from pipelines.yaml_text import as_yaml

_TEMPLATE = Path(__file__).with_name("report.html")


def write_report(
    record: Mapping[str, Any], folder: Path, *, advice: Sequence[tuple[str, str]] = ()
) -> Path:
    """Write the page of one run.

    Args:
        record: What `run.json` holds.
        folder: The run's folder. The rooms' reports are copied into its `reports/`; links are relative.
        advice: What to do about a run that did not succeed: names and commands.

    Returns:
        Path of `report.html`.
    """
    summary = summarise(record["outputs"])
    folders = artifact_folders(record["outputs"])
    tasks = task_rows(record, folder)
    reports = _copy_reports(summary.reports, folder)
    write_page(
        folder / "report.html",
        _TEMPLATE,
        title=f"{record['pipeline']} · {record['run_id']}",
        record=record,
        tone=TONES.get(record["state"], "plain"),
        advice=advice,
        reason=_reason_report(tasks, reports),
        lines=summary.lines,
        curl=summary.curl,
        python=findings.read_or_none(findings.python_call, folders),
        inputs=findings.read_or_none(findings.read_inputs, folders),
        metrics=findings.read_or_none(findings.read_metrics, folders),
        board=findings.read_or_none(findings.read_leaderboard, folders),
        card=findings.read_or_none(findings.read_card, folders),
        lineage=findings.read_or_none(findings.draw_lineage, folders),
        graph=task_graph(record, folder),
        tasks=tasks,
        reports=reports,
        parameters=as_yaml(record["parameters"]),
    )
    return folder / "report.html"


def _copy_reports(reports: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Copy the rooms' pages beside the run's: artifacts have no suffix, so no browser shows them."""
    copied: dict[str, str] = {}
    for name, page in reports.items():
        if not page.is_file():  # it was removed, or the task was cut short
            continue
        link = f"reports/{name}.html"
        with publishing(folder / link) as draft:
            shutil.copyfile(page, draft)
        copied[name] = link
    return copied


def _reason_report(tasks: Sequence[TaskRow], reports: Mapping[str, str]) -> str | None:
    """Return the name of the report behind the last verdict that said no, which is why a gate refused."""
    refused = [task.name for task in tasks if task.verdict == "no" and task.name in reports]
    return refused[-1] if refused else None

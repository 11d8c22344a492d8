"""Finds the page of a run and shows it."""

from __future__ import annotations

import os
import subprocess
import webbrowser
from pathlib import Path

from components.common.errors import BadInputError, UnavailableError
from pipelines.local.history import Run, find_run, read_runs
from pipelines.pages.report import write_report

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # without one, what is found would be a text browser


def find_page(root: Path, run_id: str | None) -> Path:
    """Return the page of a run; one that was killed before it had any gets it now.

    Args:
        root: Folder of runs.
        run_id: A run, or None for the newest.

    Raises:
        BadInputError: There is no such run, or its record cannot be read.
        UnavailableError: It is under way and has no page yet.
    """
    run = find_run(root, run_id) if run_id else _newest(root)
    page = run.folder / "report.html"
    if page.is_file():
        return page
    if run.is_under_way:
        fix = f"its page comes with its end; `millrace logs {run.run_id} -f` shows what it does"
        raise UnavailableError("the run is under way", where=run.folder, fix=fix)
    return write_report(run.record, run.folder)


def _newest(root: Path) -> Run:
    runs = [run for run in read_runs(root) if run.record["state"] != "DAMAGED"]
    if not runs:
        fix = "`millrace run training --help` tells how to start one"
        raise BadInputError("no runs here yet", where=root, fix=fix)
    return runs[0]


def show_page(page: Path) -> bool:
    """Show a page in a browser; False where there is none, or no screen, and so nothing happened."""
    if not any(os.environ.get(name) for name in _SCREENS):
        return False
    try:
        return webbrowser.open(page.absolute().as_uri())
    except (webbrowser.Error, OSError, subprocess.SubprocessError):
        return False

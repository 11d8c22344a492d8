"""The work of the door `halt`: a verdict in, silence or an error out."""

from __future__ import annotations

from pathlib import Path

from components.common.artifacts import read_verdict
from components.common.errors import RefusedError
from components.common.task_log import log_line


def halt_unless(passed: bool, reasons: Path) -> None:
    """End the run when a gate said no.

    Args:
        passed: The verdict of the task before.
        reasons: Folder with the `verdict.json` that the task wrote.

    Raises:
        RefusedError: The verdict is False; all its reasons are printed, the first is in the error.
        BadInputError: `verdict.json` is missing or malformed.
    """
    verdict = read_verdict(reasons)
    for reason in verdict.reasons:
        log_line(f"{verdict.outcome}: {reason}")
    if not passed or not verdict.passed:
        first = verdict.reasons[0] if verdict.reasons else "no reason was recorded"
        more = f" (and {len(verdict.reasons) - 1} more)" if len(verdict.reasons) > 1 else ""
        raise RefusedError(f"{verdict.outcome}: {first}{more}", fix="read the report of the task before")

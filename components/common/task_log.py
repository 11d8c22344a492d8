"""A task's log, which KFP takes from its standard output, on a cluster and on a laptop alike."""

from __future__ import annotations


def log_line(line: str) -> None:
    """Write a line to the task's log, at once: who follows it sees where the task is."""
    print(line, flush=True)  # noqa: T201 - the one place that writes to standard output, which is the log

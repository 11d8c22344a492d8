"""What a task costs beyond its work, in a run under way: the slope between a short and a long chain."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.small_pipelines import chain, compiled, run_ours

SHORT, LONG, REPEATS = 5, 25, 3


def measure() -> Record:
    """Time chains of two lengths, caches off; the difference holds no start and no end of a run."""
    with tempfile.TemporaryDirectory() as scratch:
        seconds = {
            tasks: [_seconds(Path(scratch), tasks) for _ in range(REPEATS)] for tasks in (SHORT, LONG)
        }
    slope = (statistics.median(seconds[LONG]) - statistics.median(seconds[SHORT])) / (LONG - SHORT)
    return judge(
        "task_overhead",
        slope,
        at="most",
        bound=0.15,
        conditions={
            "unit": "seconds per task, wall", "repeats": REPEATS, "short": SHORT, "long": LONG,
            "whole_run_of_short": round(statistics.median(seconds[SHORT]), 3),
        },
    )  # fmt: skip


def _seconds(folder: Path, tasks: int) -> float:
    return run_ours(compiled(chain(tasks), folder), folder)[0]

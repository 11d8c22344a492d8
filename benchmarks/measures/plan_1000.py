"""What it takes to read, check and plan a package of a thousand tasks."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.small_pipelines import chain, compiled
from pipelines.local.reading import read_package
from pipelines.local.slots import remaining_chains

TASKS, REPEATS = 1000, 3


def measure() -> Record:
    """Time the planning alone; compiling is KFP's."""
    with tempfile.TemporaryDirectory() as scratch:
        package = compiled(chain(TASKS), Path(scratch))
        size = package.stat().st_size
        seconds = [_seconds(package) for _ in range(REPEATS)]
    return judge(
        "plan_1000",
        statistics.median(seconds),
        at="most",
        bound=1.0,
        conditions={"unit": "seconds, wall, median", "repeats": REPEATS, "tasks": TASKS, "bytes": size},
    )


def _seconds(package: Path) -> float:
    started = time.perf_counter()
    plan = read_package(package)
    chains = remaining_chains(plan.graph)
    seconds = time.perf_counter() - started
    if len(chains) != TASKS:
        raise ValueError(f"`len(chains) == {TASKS}` must hold, but got {len(chains)=}.")
    return seconds

"""Whether a loop of trivial tasks keeps the cores busy: the share of all cores' time that was not idle."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.small_pipelines import compiled, loop, run_ours

ITEMS = 200


def measure() -> Record:
    """Run the loop once; a core is busy as `/proc/stat` says, whoever uses it."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        package = compiled(loop(ITEMS), folder)
        idle, started = _idle_seconds(), time.perf_counter()
        seconds, result = run_ours(package, folder)
        elapsed = time.perf_counter() - started
        busy = 1 - (_idle_seconds() - idle) / (elapsed * cores)
    return judge(
        "loop_200",
        busy,
        at="least",
        bound=0.85,
        conditions={
            "unit": "share of all cores that was busy", "items": ITEMS, "seconds": round(seconds, 3),
            "cpu_seconds_of_tasks": round(sum(task.cpu_seconds for task in result.tasks), 3),
        },
    )  # fmt: skip


def _idle_seconds() -> float:
    """Idle time of the cores we may use, since the machine started."""
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    with open("/proc/stat", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    return sum(int(line[4]) + int(line[5]) for line in lines if line[0] in ours) / os.sysconf("SC_CLK_TCK")

"""What a second `make run` costs: everything is cached, and the golden requests are asked again."""

from __future__ import annotations

import json
import statistics
import subprocess
import time

from benchmarks.latest_run import latest_run
from benchmarks.record import Record, judge
from components.common.errors import UnavailableError

REPEATS = 3
MOST_SECONDS = 3.0


def measure() -> Record:
    """Run the main job once so that all is cached, then time it again; leaves serving as it was."""
    served_before = _endpoints()
    try:
        first = _seconds()
        repeats = [_seconds() for _ in range(REPEATS)]
        tasks = latest_run()["tasks"]
    finally:
        if not served_before:
            subprocess.run(["make", "stop"], stdout=subprocess.DEVNULL, check=True)
    return judge(
        "cached_run",
        statistics.median(repeats),
        at="most",
        bound=MOST_SECONDS,
        conditions={
            "unit": "seconds, wall, median",
            "repeats": REPEATS,
            "slowest": round(max(repeats), 3),
            "run_before": round(first, 3),
            "tasks": len(tasks),
            "cached_tasks": sum(bool(task["cache_hit"]) for task in tasks),
        },
    )


def _endpoints() -> list[str]:
    command = [".venv/bin/millrace", "endpoints", "--json"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return [endpoint["name"] for endpoint in json.loads(answer)]


def _seconds() -> float:
    started = time.perf_counter()
    done = subprocess.run(
        ["make", "run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    if done.returncode:
        last = done.stdout.decode(errors="replace").strip().splitlines()[-3:]
        raise UnavailableError("`make run` failed", value=" / ".join(last), fix="mend it first")
    return time.perf_counter() - started

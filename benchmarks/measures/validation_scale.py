"""What ten times as many rows cost data validation, in time and in memory."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.validation_flights import ROWS, flights, run_job

MOST_MB = 4096


def measure() -> Record:
    """Time 327 k and 3.27 M rows; more than 4 GB at the larger size is a miss, too."""
    with flights(1) as folder:
        small = run_job("validation", folder)
    with flights(10) as folder:
        large = run_job("validation", folder)
    factor = large["seconds"] / small["seconds"]
    fits = large["peak_mb"] <= MOST_MB
    return judge(
        "validation_scale", factor if fits else float("inf"), at="most", bound=8,
        conditions={
            "unit": "times as long for 10 times the rows", "repeats": 3,
            "seconds": round(small["seconds"], 3), "seconds_10": round(large["seconds"], 3),
            "rows": ROWS, "peak_mb_10": round(large["peak_mb"]), "most_mb": MOST_MB,
        },
    )  # fmt: skip

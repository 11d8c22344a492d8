"""Time to answer a thousand rows, one client, by the twin and by TensorFlow."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.twin_setup import compare_engines


def measure() -> Record:
    """Ask both servers in turns."""
    twin, tensorflow, conditions = compare_engines(rows=1_000, clients=1)
    return judge(
        "twin_large_requests", twin.p50_seconds * 1e3, peer=tensorflow.p50_seconds * 1e3, at="most",
        bound=1.0, conditions={"unit": "milliseconds, median", **conditions},
    )  # fmt: skip

"""Time to answer one row, one client, by the twin and by TensorFlow, at the server's own port."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.twin_setup import compare_engines


def measure() -> Record:
    """Ask both servers in turns."""
    twin, tensorflow, conditions = compare_engines(rows=1, clients=1)
    return judge(
        "twin_p50", twin.p50_seconds * 1e3, peer=tensorflow.p50_seconds * 1e3, at="most", bound=0.5,
        conditions={"unit": "milliseconds, median", **conditions},
    )  # fmt: skip

"""Answers a second with eight clients, by the twin and by TensorFlow, at the server's own port."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.twin_setup import compare_engines


def measure() -> Record:
    """Ask both servers in turns."""
    twin, tensorflow, conditions = compare_engines(rows=1, clients=8)
    return judge(
        "twin_throughput", twin.per_second, peer=tensorflow.per_second, at="least", bound=2.5,
        conditions={"unit": "answers a second", **conditions},
    )  # fmt: skip

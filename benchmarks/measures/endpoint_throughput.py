"""Answers a second with eight clients, all checks on, through the endpoint of the supervisor."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.serving_setup import compare_load


def measure() -> Record:
    """Ask a plain kserve server and our endpoint in turns."""
    ours, peer, conditions = compare_load("endpoint", clients=8)
    return judge(
        "endpoint_throughput", ours.per_second, peer=peer.per_second, at="least", bound=1.0,
        conditions={"unit": "answers a second", **conditions},
    )  # fmt: skip

"""Answers a second with eight clients, all checks on, at the server's own port."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.serving_setup import compare_load


def measure() -> Record:
    """Ask a plain kserve server and ours in turns."""
    ours, peer, conditions = compare_load("server", clients=8)
    return judge(
        "serving_throughput", ours.per_second, peer=peer.per_second, at="least", bound=1.5,
        conditions={"unit": "answers a second", **conditions},
    )  # fmt: skip

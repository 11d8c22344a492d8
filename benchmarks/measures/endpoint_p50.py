"""Time to answer one row, one client, all checks on, through the endpoint of the supervisor."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.serving_setup import compare_load


def measure() -> Record:
    """Ask a plain kserve server and our endpoint in turns."""
    ours, peer, conditions = compare_load("endpoint", clients=1)
    return judge(
        "endpoint_p50", ours.p50_seconds * 1e3, peer=peer.p50_seconds * 1e3, at="most", bound=1.5,
        conditions={"unit": "milliseconds, median", **conditions},
    )  # fmt: skip

"""Time to answer one row, one client, all checks on, at the server's own port."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.serving_setup import compare_load


def measure() -> Record:
    """Ask a plain kserve server and ours in turns."""
    ours, peer, conditions = compare_load("server", clients=1)
    return judge(
        "serving_p50", ours.p50_seconds * 1e3, peer=peer.p50_seconds * 1e3, at="most", bound=1.15,
        conditions={"unit": "milliseconds, median", **conditions},
    )  # fmt: skip

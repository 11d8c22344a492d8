"""How ingestion's time grows with the rows."""

from __future__ import annotations

from benchmarks.ingestion import LARGE_COPIES, SMALL_COPIES, run_ours
from benchmarks.record import Record, judge


def measure() -> Record:
    """Compare ten times the flights with the flights."""
    small = min((run_ours(SMALL_COPIES) for _ in range(3)), key=lambda run: run.seconds)
    large = run_ours(LARGE_COPIES)
    conditions = {
        "unit": "seconds, wall",
        "peer": "the same room on a tenth of the rows",
        "rows": large.rows,
    }
    return judge(
        "ingestion_growth", large.seconds, peer=small.seconds, at="most", bound=8, conditions=conditions
    )

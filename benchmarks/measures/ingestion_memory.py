"""How ingestion's peak memory grows with the rows: it should not."""

from __future__ import annotations

from benchmarks.ingestion import HUGE_COPIES, MILLION_COPIES, run_ours
from benchmarks.record import Record, judge


def measure() -> Record:
    """Compare the peak of ten million rows with that of one million."""
    small, large = run_ours(MILLION_COPIES), run_ours(HUGE_COPIES)
    return judge(
        "ingestion_memory",
        large.peak_bytes / 2**20,
        peer=small.peak_bytes / 2**20,
        at="most",
        bound=1.3,
        conditions={
            "unit": "MiB, peak of the process",
            "peer": "the same room on a tenth of the rows",
            "rows": large.rows,
            "rows_of_the_tenth": small.rows,
            "seconds": round(large.seconds, 1),
            "seconds_of_the_tenth": round(small.seconds, 1),
        },
    )

"""The most memory that a transform of 3.27 million rows holds, of derived features or a user's function."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.transform_jobs import COPIES, ROWS, cost_of


def measure() -> Record:
    """Take the larger of the two peaks of resident memory."""
    peaks = {what: cost_of("ours", what, COPIES).peak_mib for what in ("derived", "user")}
    small = cost_of("ours", "derived", 1).peak_mib
    return judge(
        "transform_memory", max(peaks.values()), at="most", bound=4 * 1024,
        conditions={
            "unit": "MiB of resident memory, peak", "rows": ROWS * COPIES,
            **{f"{what}_mib": round(peak) for what, peak in peaks.items()},
            "derived_mib_at_a_tenth": round(small),
        },
    )  # fmt: skip

"""The most memory that a whole run over ten times the flights holds, all its processes together."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.whole_run import LARGE_COPIES, our_run


def measure() -> Record:
    """Take the sum over the processes of the run, shared pages counted once."""
    small, large = our_run(), our_run(LARGE_COPIES)
    return judge(
        "whole_run_memory", large.cost.peak_mib, at="most", bound=4 * 1024,
        conditions={
            "unit": "MiB, peak of all processes", "rows": large.all_rows,
            "mib_at_a_tenth": round(small.cost.peak_mib),
        },
    )  # fmt: skip

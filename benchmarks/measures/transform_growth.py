"""What ten times the rows cost the transform of derived features."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.transform_jobs import COPIES, ROWS, cost_of


def measure() -> Record:
    """Divide the seconds over 3,273,460 rows by those over 327,346."""
    small, large = cost_of("ours", "derived", 1), cost_of("ours", "derived", COPIES)
    return judge(
        "transform_growth", large.seconds, peer=small.seconds, at="most", bound=8.0,
        conditions={
            "unit": "seconds, wall, without imports", "rows": ROWS * COPIES,
            "peer": f"the same job over {ROWS:,} rows",
            "cpu_ratio": round(large.cpu_seconds / small.cpu_seconds, 2),
        },
    )  # fmt: skip

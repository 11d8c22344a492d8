"""What ten times the rows cost a whole run."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.whole_run import LARGE_COPIES, our_run


def measure() -> Record:
    """Divide the seconds over ten times the flights, one pass of training, by those over the flights."""
    small, large = our_run(), our_run(LARGE_COPIES)
    return judge(
        "whole_run_growth", large.cost.seconds, peer=small.cost.seconds, at="most", bound=6.0,
        conditions={
            "unit": "seconds, wall", "peer": "ours over a tenth of the rows", "rows": large.all_rows,
            "steps": large.steps, "peer_steps": small.steps, "repeats": 1,
            "cpu_seconds": round(large.cost.cpu_seconds, 2),
            **{f"seconds_of_{task}": round(seconds, 2) for task, seconds in large.parts.items()},
        },
    )  # fmt: skip

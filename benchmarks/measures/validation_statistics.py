"""Statistics alone, against TFDV's own path over Arrow batches in memory."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.validation_flights import ROWS, flights, run_job

SIZES = (1, 10)


def measure() -> Record:
    """Time both at 327 k and 3.27 M rows; the ratio is that of the size where it is worse."""
    found: dict[int, tuple[float, float]] = {}
    for times in SIZES:
        with flights(times) as folder:
            seconds = run_job("statistics", folder)
            found[times] = (seconds["seconds"], seconds["peer_seconds"])
    ours, peer = max(found.values(), key=lambda pair: pair[0] / pair[1])
    return judge(
        "validation_statistics", ours, peer=peer, at="most", bound=1.5,
        conditions={
            "unit": "seconds, wall, without imports and reading", "repeats": 3,
            "peer": "TFDV, generate_statistics_in_memory of the same Arrow batches, defaults",
            **{f"ratio_{ROWS * times}_rows": round(a / b, 4) for times, (a, b) in found.items()},
            **{f"ours_{ROWS * times}_rows": round(a, 3) for times, (a, _) in found.items()},
        },
    )  # fmt: skip

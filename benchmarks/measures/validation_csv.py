"""Data validation from Parquet to its report, against TFDV's statistics from CSV alone."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.validation_flights import ROWS, flights, run_job

SIZES = (1, 10)


def measure() -> Record:
    """Time both at 327 k and 3.27 M rows; the ratio is that of the size where it is worse."""
    found: dict[int, tuple[float, float]] = {}
    for times in SIZES:
        with flights(times) as folder:
            found[times] = (run_job("validation", folder)["seconds"], run_job("csv", folder)["seconds"])
    ours, peer = max(found.values(), key=lambda pair: pair[0] / pair[1])
    return judge(
        "validation_csv", ours, peer=peer, at="most", bound=0.1,
        conditions={
            "unit": "seconds, wall, without imports", "repeats": "3 of ours (median), 1 of the peer",
            "peer": "tfdv.generate_statistics_from_csv, defaults: statistics only",
            **{f"ratio_{ROWS * times}_rows": round(a / b, 4) for times, (a, b) in found.items()},
            **{f"ours_{ROWS * times}_rows": round(a, 3) for times, (a, _) in found.items()},
        },
    )  # fmt: skip

"""The same as `transform_user`, over ten times the rows."""

from __future__ import annotations

from benchmarks.record import Record
from benchmarks.transform_jobs import COPIES, compare


def measure() -> Record:
    """Compare over 3,273,460 rows."""
    return compare("transform_user_large", "user", COPIES, 1.2)

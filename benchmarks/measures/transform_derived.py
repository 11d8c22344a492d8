"""Derived features of the flights: our transform against TFT's analysis and transform over Beam."""

from __future__ import annotations

from benchmarks.record import Record
from benchmarks.transform_jobs import compare


def measure() -> Record:
    """Compare over 327,346 rows."""
    return compare("transform_derived", "derived", 1, 0.25)

"""Ingestion of ten times the flights against polars doing the same."""

from __future__ import annotations

from benchmarks.ingestion import LARGE_COPIES, timed_pair
from benchmarks.record import Record, judge


def measure() -> Record:
    """Compare on ten years of flights, 3.4 million rows."""
    ours, peer, conditions = timed_pair(LARGE_COPIES, repeats=1)
    return judge("ingestion_large", ours, peer=peer, at="most", bound=1.5, conditions=conditions)

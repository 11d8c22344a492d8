"""Ingestion against polars doing the same: read all cells to know the types, split, write, sha256."""

from __future__ import annotations

from benchmarks.ingestion import SMALL_COPIES, timed_pair
from benchmarks.record import Record, judge


def measure() -> Record:
    """Compare on the flights as they are, 337 thousand rows."""
    ours, peer, conditions = timed_pair(SMALL_COPIES, repeats=3)
    return judge("ingestion", ours, peer=peer, at="most", bound=1.5, conditions=conditions)

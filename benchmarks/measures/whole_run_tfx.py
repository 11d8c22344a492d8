"""A whole run, from files to a server that answered golden requests, against TFX up to a pushed model."""

from __future__ import annotations

from benchmarks.record import Record
from benchmarks.whole_run import against_tfx


def measure() -> Record:
    """Compare wall seconds; the aim is a fifteenth."""
    return against_tfx("whole_run_tfx", "seconds, wall", lambda run: run.cost.seconds, bound=0.1)

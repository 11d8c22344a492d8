"""The processor time of a whole run, its server included, against TFX's."""

from __future__ import annotations

from benchmarks.record import Record
from benchmarks.whole_run import against_tfx


def measure() -> Record:
    """Compare processor seconds, user and system, of all processes."""
    return against_tfx("whole_run_cpu", "seconds, processor", lambda run: run.cost.cpu_seconds, bound=1 / 6)

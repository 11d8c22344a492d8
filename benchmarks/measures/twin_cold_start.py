"""From the command to a server that answers, by the twin and by TensorFlow, with all checks and gRPC."""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.serving_setup import latest_model
from benchmarks.twin_setup import ENGINES, serve

REPEATS = 5


def measure() -> Record:
    """Start both servers fresh, in turns."""
    model = latest_model()
    rounds = [[_seconds(model, engine) for engine in ENGINES] for _ in range(REPEATS)]
    twin, tensorflow = (statistics.median(times) for times in zip(*rounds, strict=True))
    peer = "our server of the same model by TensorFlow"
    return judge(
        "twin_cold_start", twin, peer=tensorflow, at="most", bound=0.2,
        conditions={"unit": "seconds, wall, median", "repeats": REPEATS, "peer": peer},
    )  # fmt: skip


def _seconds(model: Path, engine: str) -> float:
    with serve(model, engine) as (_, _, seconds):
        return seconds

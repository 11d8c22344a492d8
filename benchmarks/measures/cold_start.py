"""From the command to a server that answers, started fresh, with all checks and gRPC."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.serving_setup import NAME, free_port, latest_model, own_command, start_server

REPEATS = 3
_FLOOR = (
    "import sys, tensorflow as tf, kserve\n"
    "tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
)  # fmt: skip


def measure() -> Record:
    """Start our server, and a process that imports TensorFlow and kserve and loads the model, in turns."""
    model = latest_model()
    pairs = [(_ours(model), _floor(model)) for _ in range(REPEATS)]
    ours, floor = (statistics.median(times) for times in zip(*pairs, strict=True))
    return judge(
        "cold_start", ours, peer=floor, at="most", bound=1.2,
        conditions={
            "unit": "seconds, wall, median", "repeats": REPEATS,
            "peer": "a process that imports tensorflow and kserve, loads the SavedModel, and ends",
        },
    )  # fmt: skip


def _ours(model: Path) -> float:
    port = free_port()
    process, seconds = start_server(
        own_command(model, port), f"http://127.0.0.1:{port}/v2/models/{NAME}/ready"
    )
    process.terminate()
    process.wait()
    return seconds


def _floor(model: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FLOOR, model / "1"], stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started

"""Resident memory of a server that has answered, by the twin and by TensorFlow."""

from __future__ import annotations

from pathlib import Path

import psutil

from benchmarks.http_load import send_load
from benchmarks.record import Record, judge
from benchmarks.serving_setup import ask_rows, latest_model
from benchmarks.twin_setup import ENGINES, serve

_MIB = 2**20


def measure() -> Record:
    """Ask both servers, one after the other, single rows and then a thousand."""
    model = latest_model()
    twin, tensorflow = (_mebibytes(model, engine) for engine in ENGINES)
    peer = "our server of the same model by TensorFlow"
    return judge(
        "twin_memory", twin, peer=tensorflow, at="most", bound=0.25,
        conditions={"unit": "MiB, resident", "peer": peer, "clients": 8},
    )  # fmt: skip


def _mebibytes(model: Path, engine: str) -> float:
    with serve(model, engine) as (process, url, _):
        for rows in (1, 1_000):
            send_load(url, ask_rows(model, rows), clients=8, seconds=1.0)
        return psutil.Process(process.pid).memory_info().rss / _MIB

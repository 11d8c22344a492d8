"""Looking through a model's operations before it is loaded, against loading it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.record import Record, judge
from benchmarks.serving_setup import latest_model
from components.common.model_scan import scan_saved_model

REPEATS = 7


def measure() -> Record:
    """Scan and load the model of the newest run in turns, TensorFlow imported before."""
    import tensorflow as tf

    folder = latest_model() / "1"
    load: Any = partial(tf.saved_model.load, str(folder))
    load()
    pairs = [(_seconds(partial(scan_saved_model, folder)), _seconds(load)) for _ in range(REPEATS)]
    scan, loading = (statistics.median(times) for times in zip(*pairs, strict=True))
    return judge(
        "model_scan", scan * 1e3, peer=loading * 1e3, at="most", bound=0.05,
        conditions={"unit": "milliseconds, median", "repeats": REPEATS, "peer": "tf.saved_model.load"},
    )  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

"""Measuring what a model costs to serve: its weights, and the time that one row takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.common.artifacts import Signature
from components.common.encoding import encode_columns

_CALLS, _WARM_UP = 100, 10


def measure_costs(
    costs: Sequence[str], model: Any, folder: Path, rows: Mapping[str, list[Any]], signature: Signature
) -> dict[str, float]:
    """Measure some of `COSTS`.

    Args:
        costs: Which.
        model: The `keras.Model`.
        folder: Its export, `1/` inside.
        rows: Raw rows by input; the first is asked.
        signature: Of the export; inputs may be missing.

    Returns:
        `weights`, a count; `latency_ms`, the median time of a request of one row, without a network.
    """
    found: dict[str, float] = {}
    if "weights" in costs:
        found["weights"] = float(model.count_params())
    if "latency_ms" in costs:
        found["latency_ms"] = _latency(folder, {name: each[:1] for name, each in rows.items()}, signature)
    return found


def _latency(folder: Path, row: Mapping[str, list[Any]], signature: Signature) -> float:
    loaded: Any = tf.saved_model.load(str(folder / "1"))
    serve = loaded.signatures["serving_default"]
    tensors = {name: tf.constant(raw) for name, raw in encode_columns(row, signature).items()}
    seconds: list[float] = []
    for _ in range(_WARM_UP + _CALLS):
        start = time.perf_counter()
        serve(**tensors)
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds[_WARM_UP:]) * 1_000, 4)

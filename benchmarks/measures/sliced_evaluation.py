"""Metrics with intervals of twenty slices of 100,000 rows: what TFMA needed 57 seconds for."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pyarrow as pa

from benchmarks.record import Record, judge
from components.evaluation.catalogue import METRICS
from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.measure import measure as measure_metrics
from components.evaluation.slice import measure_slices

ROWS, SLICES, REPEATS = 100_000, 20, 5
TFMA_SECONDS = (
    57  # TFX's Evaluator on the flights, measured once; an installation of it conflicts with ours
)


def measure() -> Record:
    """Time all metrics of a binary model, over all rows and in each slice; the median of repeats."""
    seconds = [_seconds() for _ in range(REPEATS)]
    return judge(
        "sliced_evaluation",
        statistics.median(seconds),
        at="most",
        bound=1.0,
        conditions={
            "unit": "seconds, wall, median", "repeats": REPEATS, "slowest": round(max(seconds), 3),
            "rows": ROWS, "slices": SLICES, "metrics": len(METRICS["binary"]) - 1,
            "tfma_seconds_measured_once": TFMA_SECONDS,
        },
    )  # fmt: skip


def _seconds() -> float:
    random = np.random.default_rng(0)
    labels = (random.random(ROWS) < 0.25).astype(np.int64)
    answers = 1 / (1 + np.exp(-(random.normal(size=ROWS) + 1.2 * labels - 1)))
    table = pa.table({"carrier": random.integers(0, SLICES, ROWS).astype(str)})
    judged = Judged(task="binary", labels=labels, answers=answers.astype(np.float32))
    started = time.perf_counter()
    measure_metrics(judged.task, judged.labels, judged.answers)
    found = measure_slices(judged, table, [("carrier",)], EvaluationConfig())
    seconds = time.perf_counter() - started
    if len(found.measured) != SLICES:
        raise AssertionError(f"measured {len(found.measured)} slices, not {SLICES}")
    return seconds

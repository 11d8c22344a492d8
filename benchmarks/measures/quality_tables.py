"""Three tables with nothing but rows and a label: significantly worse than gradient boosting, or not?"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.quality_runs import compare, run_training
from benchmarks.quality_tables import RANDOM_SPLIT, TABLES, QualityTable
from benchmarks.record import Condition, Record, judge

SEEDS = 5


def measure() -> Record:
    """Count the tables whose paired 95 % interval of the loss over it (Student) is not above 0."""
    conditions: dict[str, Condition] = {}
    good = 0
    for name, table in TABLES.items():
        differences = [_difference(table, seed) for seed in range(SEEDS)]
        mean = float(np.mean(differences))
        half = float(stats.t.ppf(0.975, SEEDS - 1) * stats.sem(differences))
        good += mean - half <= 0
        shown = f"{mean:+.4g} [{mean - half:+.4g}, {mean + half:+.4g}]"
        conditions[name] = f"{table.metric}, ours less the reference's: {shown}"
    return judge(
        "quality_tables", good, at="least", bound=len(TABLES),
        conditions={
            "unit": "tables not significantly worse, paired 95 % over the seeds",
            "reference": "scikit-learn HistGradientBoosting, same rows and columns",
            "seeds": SEEDS, **conditions,
        },
    )  # fmt: skip


def _difference(table: QualityTable, seed: int) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "rows.csv"
        table.rows(seed).write_csv(file)
        parameters = {
            "sources": {"rows": str(file)}, "label": table.label, "split": dict(RANDOM_SPLIT), "seed": seed,
        }  # fmt: skip
        ours, reference = compare(run_training(parameters, Path(scratch) / "runs"), table.metric)
    return ours - reference

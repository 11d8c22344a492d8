"""Tiny batches on disk: what ingestion and `resolve_baseline` would have written."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.artifacts import (
    ModelRecord,
    Snapshot,
    write_model_record,
    write_no_baseline,
    write_snapshot,
)
from components.common.config import build_config
from components.data_validation.config import ValidationConfig
from components.data_validation.outcome import Validation
from components.data_validation.validate import validate_examples

KINDS = {
    "carrier": "string",
    "distance": "float",
    "seats": "integer",
    "day": "date",
    "is_late": "boolean",
}
ROWS = {"train": 400, "eval": 100, "test": 100}


def make_rows(rows: int, seed: int) -> dict:
    """Columns of one split, as lists; the same seed gives the same rows."""
    dice = np.random.default_rng(seed)
    return {
        "carrier": dice.choice(["AA", "B6", "UA"], rows, p=[0.5, 0.3, 0.2]).tolist(),
        "distance": dice.gamma(4.0, 250.0, rows).tolist(),
        "seats": dice.integers(20, 400, rows).tolist(),
        "day": [f"2013-01-{day:02d}" for day in dice.integers(1, 32, rows)],
        "is_late": dice.integers(0, 2, rows).tolist(),
    }


def make_splits(seed: int = 0) -> dict:
    """Columns of all three splits."""
    return {split: make_rows(rows, 10 * seed + at) for at, (split, rows) in enumerate(ROWS.items())}


def arrow_table(columns: dict, kinds: dict) -> pa.Table:
    types = {"integer": pa.int64(), "boolean": pa.int64(), "float": pa.float64()}
    return pa.table(
        {name: pa.array(each, types.get(kinds[name], pa.string())) for name, each in columns.items()}
    )


@dataclass
class Outcome:
    """Where one validation wrote, and what it returned."""

    folder: Path
    validation: Validation

    @property
    def verdict(self):
        return self.validation.verdict

    def found(self, severity: str = "error") -> set:
        """(rule, feature) of every finding of a severity."""
        return {(each.rule, each.feature) for each, grave in self.validation.findings if grave == severity}


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


class Workshop:
    """Writes batches, validates them, and turns an outcome into the next batch's baseline."""

    kinds, rows, splits = KINDS, ROWS, staticmethod(make_splits)

    def __init__(self, root: Path) -> None:
        self.root, self.made = root, 0

    def write(self, splits: dict, kinds: dict | None = None) -> Path:
        """Write `examples` and `snapshot` into a new folder."""
        kinds = kinds or KINDS
        self.made += 1
        folder = self.root / f"batch-{self.made}"
        for split, columns in splits.items():
            (folder / "examples" / split).mkdir(parents=True)
            pq.write_table(arrow_table(columns, kinds), folder / "examples" / split / "part-00000.parquet")
        rows = {split: len(next(iter(columns.values()))) for split, columns in splits.items()}
        snapshot = Snapshot(version="f" * 64, sources={}, query=None, split={}, rows=rows, columns=kinds)
        (folder / "snapshot").mkdir()
        write_snapshot(folder / "snapshot", snapshot)
        return folder

    def validate(
        self, batch: Path, baseline: Path | None = None, *, label: str = "is_late", **options
    ) -> Outcome:
        """Validate a batch; without a baseline, as on the first run."""
        self.made += 1
        folder = self.root / f"outcome-{self.made}"
        outputs = {name: folder / name for name in ("statistics", "schema", "anomalies")}
        found = validate_examples(
            batch / "examples",
            batch / "snapshot",
            baseline or self.no_baseline(),
            label=label,
            report=folder / "report.html",
            config=build_config(ValidationConfig, options, where="validation"),
            **outputs,
        )
        return Outcome(folder, found)

    def no_baseline(self) -> Path:
        folder = self.root / "no-baseline"
        folder.mkdir(exist_ok=True)
        write_no_baseline(folder)
        return folder

    def baseline(self, outcome: Outcome) -> Path:
        """Make the model folder that a training on this outcome would have left."""
        model = outcome.folder / "model"
        model.mkdir()
        shutil.copy(outcome.folder / "schema" / "schema.pbtxt", model)
        shutil.copy(outcome.folder / "statistics" / "statistics.pb", model)
        record = ModelRecord(
            task="binary", label="is_late", classes=["0", "1"], trial=0, hyperparameters={}, validation={},
            digests={},
        )  # fmt: skip
        write_model_record(model, record)
        return model

    def baseline_of(self, splits: dict, kinds: dict | None = None, **options) -> Path:
        """Validate splits as a first run and return the baseline that they make."""
        outcome = self.validate(self.write(splits, kinds), **options)
        assert outcome.verdict.passed, outcome.verdict
        return self.baseline(outcome)

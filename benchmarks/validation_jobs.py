"""What is timed in validation's environment: `python -m benchmarks.validation_jobs JOB FOLDER`."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.common.artifacts import ModelRecord, read_snapshot, write_model_record
from components.data_validation import describe, library
from components.data_validation.config import ValidationConfig
from components.data_validation.read import read_examples
from components.data_validation.validate import validate_examples

_REPEATS = 3


def time_validation(folder: Path) -> dict[str, float]:
    """Validate against a baseline, from Parquet files to the report."""
    baseline = _baseline(folder)
    return {"seconds": _median(lambda: _validate(folder, baseline))}


def time_statistics(folder: Path) -> dict[str, float]:
    """Describe the splits, and let TFDV describe the same Arrow batches in memory with its defaults."""
    from tensorflow_data_validation.statistics import stats_impl  # pyright: ignore[reportMissingImports]

    snapshot = read_snapshot(folder / "snapshot")
    tables = read_examples(folder / "examples", snapshot)
    batches = [_as_lists(table) for table in tables.values()]

    def peer() -> None:
        for batch in batches:
            stats_impl.generate_statistics_in_memory(batch)

    def ours() -> None:
        describe.describe_batch(tables, snapshot.columns)

    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(_REPEATS)]  # in turn: a load hits both
    first, second = zip(*pairs, strict=True)
    return {"seconds": statistics.median(first), "peer_seconds": statistics.median(second)}


def time_csv(folder: Path) -> dict[str, float]:
    """Let TFDV make statistics of the CSV file, once, with its defaults."""
    tfdv = library.tfdv()
    from apache_beam.io import tfrecordio

    checksum: Any = tfrecordio._default_crc32c_fn  # pyright: ignore[reportPrivateUsage]
    checksum.fn = _crc32c  # it would ask for packages that this environment leaves out
    return {"seconds": _seconds(lambda: tfdv.generate_statistics_from_csv(str(folder / "rows.csv")))}


def _crc32c(content: bytes) -> int:
    """Return the checksum of the few kilobytes that the peer writes, by Castagnoli's polynomial."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _validate(folder: Path, baseline: Path) -> Path:
    out = folder / "out"
    validate_examples(
        folder / "examples", folder / "snapshot", baseline, label="late", statistics=out / "statistics",
        schema=out / "schema", anomalies=out / "anomalies", report=out / "report.html",
        config=ValidationConfig(),
    )  # fmt: skip
    return out


def _baseline(folder: Path) -> Path:
    out, model = _validate(folder, folder / "baseline"), folder / "model"
    model.mkdir(exist_ok=True)
    shutil.copy(out / "schema" / "schema.pbtxt", model)
    shutil.copy(out / "statistics" / "statistics.pb", model)
    record = ModelRecord(
        task="binary",
        label="late",
        classes=["0", "1"],
        trial=0,
        hyperparameters={},
        validation={},
        digests={},
    )
    write_model_record(model, record)
    return model


def _as_lists(table: Any) -> Any:
    """Wrap every value into a list of one, the form that TFDV reads; the flights have no missing value."""
    offsets = pa.array(range(table.num_rows + 1), pa.int64())
    columns = [pa.LargeListArray.from_arrays(offsets, column.chunk(0)) for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, table.column_names)


def _median(job: Callable[[], object]) -> float:
    return statistics.median(_seconds(job) for _ in range(_REPEATS))


def _seconds(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


JOBS = {"validation": time_validation, "statistics": time_statistics, "csv": time_csv}


def main(job: str, folder: str) -> None:
    """Import first, then time."""
    library.tfdv()
    found = JOBS[job](Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])

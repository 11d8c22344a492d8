"""The flights as data validation reads them, once or ten times over; and its jobs, run where TFDV lives."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import duckdb

from components.common.artifacts import Snapshot, write_no_baseline, write_snapshot
from components.common.errors import UnavailableError
from pipelines.datasets.flights import write_flights

ROWS = 327_346
Job = Literal["statistics", "validation", "csv"]

_ROWS = """
    SELECT month, day, isodow(make_date(year::INT, month::INT, day::INT))::BIGINT AS weekday,
        hour::BIGINT AS hour, minute::BIGINT AS minute, (sched_arr_time // 100)::BIGINT AS arrival_hour,
        carrier, origin, dest, distance::DOUBLE AS distance, (arr_delay >= 15)::BIGINT AS late
    FROM read_csv($1, nullstr = ['', 'NA']) WHERE arr_delay IS NOT NULL
"""
_PART = "hash(row_number() OVER ()) % 10 AS part"
_SPLITS = {"train": "part < 8", "eval": "part = 8", "test": "part = 9"}
_TEXTS = ("carrier", "origin", "dest")


@contextmanager
def flights(times: int) -> Generator[Path]:
    """Write `examples`, `snapshot`, `baseline` (none) and `rows.csv` into a folder, removed at the end.

    Args:
        times: How often every row stands in them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_flights(str(folder / "raw"))
        with duckdb.connect() as database:
            _write(database, folder, times)
        yield folder


def _write(database: duckdb.DuckDBPyConnection, folder: Path, times: int) -> None:
    source = [str(folder / "raw" / "flights-2013-*.csv")]
    database.execute(f"CREATE TABLE once AS {_ROWS}", source)
    database.execute(f"CREATE TABLE rows AS FROM once, range({times}) SELECT once.*, {_PART}")
    rows: dict[str, int] = {}
    for split, where in _SPLITS.items():
        file = folder / "examples" / split / "part-00000.parquet"
        file.parent.mkdir(parents=True)
        selected = f"FROM rows SELECT * EXCLUDE (part) WHERE {where}"
        database.execute(f"COPY ({selected}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        [rows[split]] = database.execute(f"FROM rows SELECT count(*) WHERE {where}").fetchone() or [0]
    database.execute(f"COPY (FROM rows SELECT * EXCLUDE (part)) TO '{folder / 'rows.csv'}' (HEADER)")
    names = [name for name, *_ in database.execute("DESCRIBE once").fetchall()]
    kinds: dict[str, Any] = {name: "string" if name in _TEXTS else "integer" for name in names}
    kinds |= {"distance": "float", "late": "boolean"}
    for artifact in ("snapshot", "baseline"):
        (folder / artifact).mkdir()
    snapshot = Snapshot(version="0" * 64, sources={}, query=None, split={}, rows=rows, columns=kinds)
    write_snapshot(folder / "snapshot", snapshot)
    write_no_baseline(folder / "baseline")


def run_job(job: Job, folder: Path) -> dict[str, float]:
    """Run a job of `validation_jobs.py` in a fresh process of validation's environment.

    Returns:
        What it measured, by name: seconds without imports, and `peak_mb` of the process.

    Raises:
        UnavailableError: It failed.
    """
    command = [".venv-validation/bin/python", "-m", "benchmarks.validation_jobs", job, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise UnavailableError(f"the job `{job}` failed", value=last, fix="make setup")
    return json.loads(done.stdout.splitlines()[-1])

"""The flights, several times over, read by our room and by polars, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.record import Condition
from pipelines.datasets.flights import write_flights

SMALL_COPIES, MILLION_COPIES, LARGE_COPIES, HUGE_COPIES = 1, 3, 10, 30

_OURS = """
import sys, time, json, resource, pathlib
import duckdb, pyarrow.parquet
from components.ingestion.config import IngestionConfig
from components.ingestion.ingest import ingest_sources
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule
sources, out = {"flights": sys.argv[1] + "/*.csv"}, pathlib.Path(sys.argv[2])
began = time.perf_counter()
made = ingest_sources(
    read_sources(sources), resolve_files(sources), SplitRule(), IngestionConfig(), query=None,
    examples=out / "examples", snapshot=out / "snapshot")
seconds, rows = time.perf_counter() - began, sum(made.rows.values())
"""
_POLARS = """
import sys, time, json, resource, glob, hashlib, pathlib
import polars as pl
files, out = sorted(glob.glob(sys.argv[1] + "/*.csv")), pathlib.Path(sys.argv[2])
began = time.perf_counter()
for file in files:
    with open(file, "rb") as stream:
        hashlib.file_digest(stream, "sha256")
table = pl.read_csv(files, null_values=["NA"], infer_schema_length=int(sys.argv[3]) or None)
share = table.hash_rows(seed=0) // 2**32
for name, low, high in (("train", 0, 0.8), ("eval", 0.8, 0.9), ("test", 0.9, 1.1)):
    chosen = (share >= round(low * 2**32)) & (share < round(high * 2**32))
    table.filter(chosen).write_parquet(out / f"{name}.parquet", compression="zstd")
seconds, rows = time.perf_counter() - began, table.height
"""
_TELL = """
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak_bytes": peak, "rows": rows}))
"""


@dataclass(frozen=True)
class Reading:
    """One reading: wall seconds without imports, peak memory of its process, rows."""

    seconds: float
    peak_bytes: int
    rows: int


def timed_pair(copies: int, *, repeats: int) -> tuple[float, float, Mapping[str, Condition]]:
    """Run ours and polars in turn and return the fastest of each, with the conditions."""
    ours, full, sampled = [], [], []
    for _ in range(repeats):
        ours.append(run_ours(copies))
        full.append(_run(_POLARS, copies, "0"))
        sampled.append(_run(_POLARS, copies, "1000"))
    fastest, peer = min(run.seconds for run in ours), min(run.seconds for run in full)
    return fastest, peer, {
        "unit": "seconds, wall",
        "peer": "polars: read_csv with types from all cells, hash_rows, write_parquet, sha256",
        "peer_with_types_from_1000_rows": round(min(run.seconds for run in sampled), 3),
        "rows": ours[0].rows,
        "peak_mib": round(max(run.peak_bytes for run in ours) / 2**20),
        "peak_mib_of_polars": round(max(run.peak_bytes for run in full) / 2**20),
        "repeats": repeats,
    }  # fmt: skip


def run_ours(copies: int) -> Reading:
    """Read so many copies of the flights with our room."""
    return _run(_OURS, copies)


def _run(program: str, copies: int, *more: str) -> Reading:
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = copies_of_flights(copies), Path(scratch)
        command = [sys.executable, "-c", program + _TELL, folder, str(out), *more]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Reading(**json.loads(told))


def copies_of_flights(copies: int) -> str:
    """Return a folder, gone when we end, of the flights of so many years; but for the year all are 2013."""
    return _copies(copies).name


@cache
def _copies(copies: int) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="millrace-years-")
    with tempfile.TemporaryDirectory() as year:
        months = [Path(name) for name in write_flights(year) if Path(name).name.startswith("flights-")]
        for month in months:
            header, *lines = month.read_bytes().splitlines(keepends=True)
            for copy in range(copies):
                rows = (str(2013 + copy).encode() + line[4:] for line in lines)
                Path(folder.name, f"{copy:02d}-{month.name}").write_bytes(header + b"".join(rows))
    return folder

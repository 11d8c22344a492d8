"""Kills, full disks and company: what is there is whole, and the next try gives what a clean one gives."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from components.common import storage
from components.common.errors import UnavailableError
from components.common.storage import content_digest
from components.ingestion.config import IngestionConfig
from components.ingestion.ingest import ingest_sources
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule

KILLED = """
import os, signal, sys
from pathlib import Path
from components.common import storage
seen = 0
def counted(path, fsync=storage._fsync):
    global seen
    seen += 1
    if seen == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(path)
storage._fsync = counted
from tests.components.ingestion.test_publishing import ingest
ingest(Path(sys.argv[2]), Path(sys.argv[3]))
print(seen)
"""


def ingest(source: Path, folder: Path):
    sources = {"t": str(source)}
    return ingest_sources(
        read_sources(sources), resolve_files(sources), SplitRule(), IngestionConfig(), query=None,
        examples=folder / "examples", snapshot=folder / "snapshot",
    )  # fmt: skip


def run_killed_at(point, source, folder):
    command = [sys.executable, "-c", KILLED, str(point), str(source), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})


def test_killed_at_any_step_of_publishing_it_leaves_nothing_half_and_the_next_try_all(
    write, many, tmp_path
):
    source = write("t.csv", many)
    clean = ingest(source, tmp_path / "clean")
    steps = int(run_killed_at(0, source, tmp_path / "counted").stdout)
    assert steps >= 8
    for point in {1, steps // 2, steps}:
        folder = tmp_path / f"killed-{point}"
        assert run_killed_at(point, source, folder).returncode == -signal.SIGKILL
        if (folder / "examples").exists():
            assert content_digest(folder / "examples") == content_digest(tmp_path / "clean" / "examples")
        assert (folder / "snapshot" / "snapshot.json").exists() == (point == steps)  # its last step
        assert ingest(source, folder) == clean
        for name in ("examples", "snapshot"):
            assert content_digest(folder / name) == content_digest(tmp_path / "clean" / name)


@pytest.mark.parametrize("point", range(1, 5))
def test_full_disk_at_any_write_is_told_and_leaves_the_old_rows(point, write, many, tmp_path, monkeypatch):
    source = write("t.csv", many)
    ingest(source, tmp_path / "out")
    before = content_digest(tmp_path / "out" / "examples")
    written = 0
    write_table = pq.ParquetWriter.write_table

    def fill(self, *inputs, **options):
        nonlocal written
        written += 1
        if written == point:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_table(self, *inputs, **options)

    def fill_at_the_end(path, fsync=storage._fsync):
        if point == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(path)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fill)
    monkeypatch.setattr(storage, "_fsync", fill_at_the_end)
    source.write_text(many + "400,1.5,dog\n")
    with pytest.raises(UnavailableError, match=r"No space left on device; .* bytes are free"):
        ingest(source, tmp_path / "out")
    assert content_digest(tmp_path / "out" / "examples") == before
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"examples", "snapshot"}


def test_two_at_once_into_one_place_both_end_well(write, many, tmp_path):
    source = write("t.csv", many)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(ingest, [source] * 2, [tmp_path / "out"] * 2)
    assert one == two
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"examples", "snapshot"}


def test_same_content_again_replaces_itself(write, many, tmp_path):
    source = write("t.csv", many)
    first, digest = ingest(source, tmp_path / "out"), content_digest(tmp_path / "out" / "examples")
    os.utime(source, ns=(1, 1))
    second = ingest(source, tmp_path / "out")
    assert (second.version, content_digest(tmp_path / "out" / "examples")) == (first.version, digest)
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 3

"""Tiny files, and a run of the whole room over them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.artifacts import Snapshot, split_files
from components.common.config import build_config
from components.ingestion.config import IngestionConfig
from components.ingestion.ingest import ingest_sources
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule


@dataclass
class Ingested:
    snapshot: Snapshot
    examples: Path

    def table(self, split: str) -> pa.Table:
        return pa.concat_tables([pq.read_table(file) for file in split_files(self.examples, split)])

    def rows(self) -> list[dict[str, Any]]:
        """All rows of all splits, in one order that depends on their values."""
        found = [row for split in ("train", "eval", "test") for row in self.table(split).to_pylist()]
        return sorted(found, key=repr)


Run = Callable[..., Ingested]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Resolve and ingest; few rows are enough, since empty splits are allowed unless a test says no."""
    count = 0

    def ingest(
        sources: dict, query: str | None = None, split: dict | None = None, allowed_hosts=(), **options: Any
    ) -> Ingested:
        nonlocal count
        count += 1
        folder = tmp_path / f"out-{count}"
        options = {"allow_empty": True, **options}
        declared = {name: str(uri) if isinstance(uri, Path) else uri for name, uri in sources.items()}
        snapshot = ingest_sources(
            read_sources(declared),
            resolve_files(declared, allowed_hosts=allowed_hosts),
            build_config(SplitRule, split or {}, where="split"),
            build_config(IngestionConfig, options, where="ingestion"),
            query=query,
            examples=folder / "examples",
            snapshot=folder / "snapshot",
            allowed_hosts=allowed_hosts,
        )
        return Ingested(snapshot, folder / "examples")

    return ingest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def many() -> str:
    """A CSV of 400 rows: id, a number, a word; enough for three splits that are not empty."""
    words = ("ant", "bee", "cat")
    return "id,size,word\n" + "".join(f"{n},{n / 8},{words[n % 3]}\n" for n in range(400))

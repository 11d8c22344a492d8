"""Fetching everything that the sources name, side by side, and laying it where the database may read it."""

# ruff: noqa: S608 - names are quoted by `identifier`
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from components.common.artifacts import SourceFile
from components.ingestion.config import IngestionConfig
from components.ingestion.database import identifier
from components.ingestion.fetch import check_unchanged
from components.ingestion.read_sql import read_query
from components.ingestion.scan import ScannedFile, scan_file, scan_parquet
from components.ingestion.sources import DATABASES, SPAN, Source
from components.ingestion.stores import FoundFile, open_store

_AT_ONCE = 4  # files of one source


@dataclass(frozen=True)
class GatheredSource:
    """One source, ready to be read.

    Attributes:
        tables: What is read.
        repeats: Files of a window that hold the same bytes as another one, which alone is read.
    """

    tables: list[ScannedFile]
    repeats: list[SourceFile]

    def files(self) -> list[SourceFile]:
        """Return all files for the snapshot, in the order of their uris."""
        return sorted([*(table.source for table in self.tables), *self.repeats], key=lambda file: file.uri)


def gather_source(
    name: str, source: Source, files: Sequence[FoundFile], folder: Path, config: IngestionConfig,
    allowed_hosts: Sequence[str],
) -> GatheredSource:  # fmt: skip
    """Bring the files, or the rows, of one source into a folder.

    Args:
        name: Of the source.
        source: Its declaration.
        files: What was resolved.
        folder: A folder to make.
        config: How to read.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.

    Raises:
        BadInputError: A file is wrong, or a database refuses.
        UnavailableError: A file is not the one that was resolved, or a store or database fails.
    """
    where = f"sources.{name}"
    folder.mkdir()
    if source.scheme in DATABASES:
        return GatheredSource([_gather_query(source, files[0], folder, config, where)], [])
    store = open_store(
        source, where=where, allowed_hosts=allowed_hosts, timeout_seconds=config.timeout_seconds
    )

    def scan(numbered: tuple[int, FoundFile]) -> ScannedFile:
        return scan_file(store, numbered[1], folder / str(numbered[0]), config)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        scanned = list(pool.map(scan, enumerate(files)))
    spanned = any(SPAN.search(uri) for uri in source.uris)
    return _judge_repeats(scanned, leave_out=spanned)


def check_source(source: Source, name: str, files: Sequence[FoundFile]) -> None:
    """Make sure, at the end, that no file that was read in place has changed since it was digested.

    Raises:
        UnavailableError: One has.
    """
    if source.scheme == "file":
        store = open_store(source, where=f"sources.{name}")
        for file in files:
            check_unchanged(store, file)


def digest_rows(connection: duckdb.DuckDBPyConnection, name: str, table: ScannedFile) -> ScannedFile:
    """Return a query's table with the digest of its rows, whatever order they came in.

    It is the sha256 over the sorted md5s of the rows' texts.
    """
    columns = [identifier(column) for column in table.columns]
    cells = ", ".join(f"coalesce(length({c}::VARCHAR) || ':' || {c}::VARCHAR, '') || ','" for c in columns)
    texts = f"SELECT concat({cells}) AS t FROM {identifier(name)}"
    rows = connection.sql(f"SELECT md5(t) AS m, strlen(t)::BIGINT AS n FROM ({texts}) ORDER BY m")
    digest, size = hashlib.sha256("\x1f".join(table.columns).encode()), 0
    for batch in rows.to_arrow_reader(100_000):
        digest.update("".join(batch.column(0).to_pylist()).encode())
        size += sum(batch.column(1).to_pylist())
    return replace(table, source=replace(table.source, sha256=digest.hexdigest(), bytes=size))


def _gather_query(
    source: Source, file: FoundFile, folder: Path, config: IngestionConfig, where: str
) -> ScannedFile:
    path = read_query(source, folder / "table.parquet", where=where, timeout_seconds=config.timeout_seconds)
    told = SourceFile(uri=file.uri, bytes=0, sha256="", query=source.query)
    return scan_parquet(told, path, config)


def _judge_repeats(scanned: Sequence[ScannedFile], *, leave_out: bool) -> GatheredSource:
    """Note each file that holds the bytes of another one; in a window it is left out."""
    first: dict[tuple[str, str], ScannedFile] = {}
    tables: list[ScannedFile] = []
    repeats: list[SourceFile] = []
    for table in scanned:
        known = first.setdefault((table.source.sha256, str(sorted(table.partition.items()))), table)
        if known is table:
            tables.append(table)
        elif leave_out:
            repeats.append(replace(table.source, note=f"not read: the bytes of {known.source.uri}"))
        else:
            note = f"its rows are there twice: the bytes of {known.source.uri}"
            both = f"{table.source.note}; {note}" if table.source.note else note
            tables.append(replace(table, source=replace(table.source, note=both)))
    return GatheredSource(tables, repeats)

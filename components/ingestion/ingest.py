"""From sources to a versioned, divided set of rows."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from components.common.artifacts import Snapshot, SourceFile, write_snapshot
from components.common.storage import publishing
from components.ingestion.config import IngestionConfig
from components.ingestion.database import open_database
from components.ingestion.divide import check_split_rows, select_split_rows
from components.ingestion.gather import GatheredSource, check_source, digest_rows, gather_source
from components.ingestion.hint import find_hints
from components.ingestion.query import Column, create_result, named_failures
from components.ingestion.sources import DATABASES, Source
from components.ingestion.split import SplitRule
from components.ingestion.stores import FoundFile
from components.ingestion.tables import check_types, create_view
from components.ingestion.write import WrittenRows, write_splits

FORMAT = 2  # of the rows written for given sources, query and rule; part of every version


def ingest_sources(
    sources: Mapping[str, Source],
    files: Mapping[str, Sequence[FoundFile]],
    split: SplitRule,
    config: IngestionConfig,
    *,
    query: str | None,
    examples: Path,
    snapshot: Path,
    allowed_hosts: Sequence[str] = (),
) -> Snapshot:
    """Read the sources, make the rows, divide them and write them.

    The same contents, query and rule give the same bytes, whatever the files' names and order. Rows
    are in the order of a shuffle. Memory holds `config.memory_mib` and a few groups of rows, however many.

    Args:
        sources: The declarations, by name.
        files: The files of each source, as `resolve_files` found them.
        split: The split rule.
        config: How to read.
        query: SQL over the sources' names, or None to take the only source as it is.
        examples: Folder to write: `train/`, `eval/` and `test/`, Parquet of int64, float64 and string.
        snapshot: Folder to write: `snapshot.json`.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.

    Returns:
        What is in `snapshot.json`.

    Raises:
        BadInputError: A file, the query or the rule is wrong; nothing is written.
        UnavailableError: A file has changed since it was resolved, a store or a database does not
            answer, or room ran out; likewise.
    """
    with publishing(examples) as draft, tempfile.TemporaryDirectory(prefix="ingest-") as scratch:
        gathered = {
            name: gather_source(name, source, files[name], Path(scratch, name), config, allowed_hosts)
            for name, source in sources.items()
        }
        paths = [table.path for source in gathered.values() for table in source.tables]
        with open_database(Path(scratch), paths, memory_mib=config.memory_mib) as connection:
            for name, source in gathered.items():
                gathered[name] = _open_source(connection, name, sources[name], source, config)
            tables = {name: source.tables for name, source in gathered.items()}
            check_types(connection, tables, config.types)
            columns = create_result(connection, query, list(gathered))
            uris = {str(t.path): t.source.uri for source in gathered.values() for t in source.tables}
            with named_failures(query, uris):
                hints = list(find_hints(connection, next(iter(gathered)))) if query is None else []
                written = _write_rows(connection, columns, split, config, draft)
        for name, source in sources.items():
            check_source(source, name, files[name])
    found = Snapshot(
        version=compute_version(gathered, query, split, config),
        sources={name: [_told(file) for file in source.files()] for name, source in gathered.items()},
        query=query,
        split=split.describe(),
        rows=written.rows,
        columns={column.name: column.kind for column in columns},
        notes=[*hints, *_note_cut(written.cut)],
    )
    sys.stdout.writelines(f"{note}\n" for note in found.notes)
    write_snapshot(snapshot, found)
    return found


def compute_version(
    gathered: Mapping[str, GatheredSource], query: str | None, split: SplitRule, config: IngestionConfig
) -> str:
    """Return the sha256 that names the data: contents, query, split rule, reading knobs and format.

    Files' names and times, and the name of a source that no query uses, are left out; values that folders'
    names hold are content.
    """
    digests = {
        name: sorted(_content(table.source.sha256, table.partition) for table in source.tables)
        for name, source in gathered.items()
    }
    identity = {
        "format": FORMAT,
        "sources": digests if query is not None else sorted(digests.values()),
        "query": query,
        "split": split.describe(),
        "reading": config.reading(),
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _content(sha256: str, partition: Mapping[str, str]) -> str:
    return sha256 + "".join(f"/{key}={value}" for key, value in sorted(partition.items()))


def _open_source(
    connection: duckdb.DuckDBPyConnection, name: str, source: Source, gathered: GatheredSource,
    config: IngestionConfig,
) -> GatheredSource:  # fmt: skip
    """Make a source readable under its name; a database's rows are digested now."""
    for file in gathered.files():
        if file.note:
            sys.stdout.write(f"sources.{name}: {file.uri}: {file.note}\n")
    create_view(connection, name, gathered.tables, config)
    if source.scheme not in DATABASES:
        return gathered
    with named_failures():
        return replace(gathered, tables=[digest_rows(connection, name, table) for table in gathered.tables])


def _write_rows(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], split: SplitRule,
    config: IngestionConfig, folder: Path,
) -> WrittenRows:  # fmt: skip
    selection = select_split_rows(connection, columns, split)
    written = write_splits(connection, selection, columns, folder)
    check_split_rows(written.rows, written.without, split, allow_empty=config.allow_empty)
    return written


def _note_cut(cut: Mapping[str, int]) -> list[str]:
    return [
        f"column `{name}`: fractions of a second are left out of {count:,} values"
        for name, count in cut.items()
        if count
    ]


def _told(file: SourceFile) -> dict[str, Any]:
    return {key: value for key, value in asdict(file).items() if value is not None}

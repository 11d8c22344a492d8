"""From files to a versioned, divided set of rows."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from components.common.artifacts import Snapshot, write_snapshot
from components.common.storage import publishing
from components.ingestion.config import IngestionConfig
from components.ingestion.database import open_database
from components.ingestion.divide import count_rows, split_rows
from components.ingestion.query import create_result
from components.ingestion.resolve import FoundFile, check_unchanged
from components.ingestion.scan import ScannedFile, scan_file
from components.ingestion.split import SplitRule
from components.ingestion.tables import create_view
from components.ingestion.write import write_splits

FORMAT = 1  # of the rows written for given sources, query and rule; part of every version


def ingest_files(
    files: Mapping[str, Sequence[FoundFile]],
    split: SplitRule,
    config: IngestionConfig,
    *,
    query: str | None,
    examples: Path,
    snapshot: Path,
) -> Snapshot:
    """Read the files, make the rows, divide them and write them.

    The same contents, query and rule give the same bytes, whatever the files' names and order. Rows
    are in the order of a shuffle.

    Args:
        files: The files of each source, as `resolve_files` found them.
        split: The split rule.
        config: How to read the files.
        query: SQL over the sources' names, or None to take the only source as it is.
        examples: Folder to write: `train/`, `eval/` and `test/`, Parquet of int64, float64 and string.
        snapshot: Folder to write: `snapshot.json`.

    Returns:
        What is in `snapshot.json`.

    Raises:
        BadInputError: A file, the query or the rule is wrong; nothing is written.
        UnavailableError: A file has changed since it was resolved, or room ran out; likewise.
    """
    with publishing(examples) as draft, tempfile.TemporaryDirectory(prefix="ingest-") as scratch:
        scanned = _scan_files(files, Path(scratch), config)
        paths = [file.path for group in files.values() for file in group]
        with open_database(Path(scratch), paths) as connection:
            for name, group in scanned.items():
                create_view(connection, name, group, config)
            columns = create_result(connection, query, list(scanned))
            split_rows(connection, columns, split)
            rows = count_rows(connection, split, allow_empty=config.allow_empty)
            write_splits(connection, columns, draft)
        for group in files.values():
            for file in group:
                check_unchanged(file)
    found = Snapshot(
        version=compute_version(scanned, query, split, config),
        sources={name: [asdict(file.source) for file in group] for name, group in scanned.items()},
        query=query,
        split=split.describe(),
        rows=rows,
        columns={column.name: column.kind for column in columns},
    )
    write_snapshot(snapshot, found)
    return found


def compute_version(
    scanned: Mapping[str, Sequence[ScannedFile]],
    query: str | None,
    split: SplitRule,
    config: IngestionConfig,
) -> str:
    """Return the sha256 that names the data: contents, query, split rule, reading knobs and format.

    Files' names and times, and the name of a source that no query uses, are left out.
    """
    digests = {name: sorted(file.source.sha256 for file in group) for name, group in scanned.items()}
    identity = {
        "format": FORMAT,
        "sources": digests if query is not None else sorted(digests.values()),
        "query": query,
        "split": split.describe(),
        "reading": config.reading(),
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _scan_files(
    files: Mapping[str, Sequence[FoundFile]], scratch: Path, config: IngestionConfig
) -> dict[str, list[ScannedFile]]:
    return {
        name: [scan_file(file, scratch / f"{name}-{number}", config) for number, file in enumerate(group)]
        for name, group in files.items()
    }

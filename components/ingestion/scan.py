"""The first reading of each file: its digest, its columns, and every defect that bytes alone can show."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.common.artifacts import SourceFile
from components.common.errors import BadInputError
from components.common.storage import file_digest
from components.ingestion.config import IngestionConfig
from components.ingestion.resolve import FoundFile, check_unchanged, file_format
from components.ingestion.unpack import unpack_text

_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, kw_only=True)
class ScannedFile:
    """One file, ready to be read as a table.

    Attributes:
        source: What the snapshot says of it.
        path: What the database reads: a link to the file, or its unpacked copy.
        columns: Names in the order of the file.
        types: Type of each column of a Parquet file; empty for CSV.
        delimiter: What stands between the cells of CSV; None for Parquet.
    """

    source: SourceFile
    path: Path
    columns: tuple[str, ...]
    types: tuple[str, ...]
    delimiter: str | None


def scan_file(file: FoundFile, path: Path, config: IngestionConfig) -> ScannedFile:
    """Digest one file, check it and lay it where the database may read it.

    Args:
        file: What was resolved.
        path: Where to put a link to it, or the unpacked copy of a compressed file.
        config: How to read it.

    Raises:
        BadInputError: The file is cut or corrupt, is no UTF-8, holds NUL bytes, has no or doubtful
            column names, or has no rows although that is not allowed.
        UnavailableError: The file is not the one that was resolved.
    """
    check_unchanged(file)
    kind, compression = file_format(file.path)
    source = _describe(file)
    if kind == "parquet":
        path.symlink_to(file.path)
        return _scan_parquet(source, path, config)
    if compression is None:
        path.symlink_to(file.path)
    unpack_text(file.path, compression, path)
    return _scan_csv(source, path, config)


def _describe(file: FoundFile) -> SourceFile:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(file.modified) // 1000)
    return SourceFile(
        uri=file.uri, bytes=file.bytes, sha256=file_digest(file.path), modified=when.isoformat()
    )


def _scan_parquet(source: SourceFile, path: Path, config: IngestionConfig) -> ScannedFile:
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        what = f"not a complete Parquet file: {str(error).splitlines()[0]}"
        raise BadInputError(what, where=source.uri, fix="write it again") from error
    schema = metadata.schema.to_arrow_schema()
    _check_names(schema.names, source.uri)
    _check_rows(metadata.num_rows > 0, source.uri, config)
    types = tuple(str(field.type) for field in schema)
    return ScannedFile(source=source, path=path, columns=tuple(schema.names), types=types, delimiter=None)


def _scan_csv(source: SourceFile, path: Path, config: IngestionConfig) -> ScannedFile:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        delimiter = config.delimiter or _find_delimiter(lines.readline())
        lines.seek(0)
        try:
            columns = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BadInputError(f"header cannot be read: {error}", where=f"{source.uri}:1") from error
        _check_names(columns, source.uri)
        _check_rows(any(line.strip("\r\n") for line in lines), source.uri, config)
    return ScannedFile(source=source, path=path, columns=tuple(columns), types=(), delimiter=delimiter)


def _find_delimiter(header: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _check_names(columns: Sequence[str], uri: str) -> None:
    if not any(columns):
        raise BadInputError(
            "there is no header", where=f"{uri}:1", fix="name the columns in the first line"
        )
    if "" in columns:
        fix = "name every column (a table written with its index has such a one)"
        raise BadInputError(f"column {columns.index('') + 1} has no name", where=f"{uri}:1", fix=fix)
    folded = [name.lower() for name in columns]
    doubles = sorted({name for name in columns if folded.count(name.lower()) > 1})
    if doubles:
        fix = "rename them; case does not tell names apart"
        raise BadInputError(f"duplicate column names: {', '.join(doubles)}", where=f"{uri}:1", fix=fix)


def _check_rows(found: bool, uri: str, config: IngestionConfig) -> None:
    if not found and not config.allow_empty:
        fix = "leave it out, or set `ingestion.allow_empty: true`"
        raise BadInputError("file has a header but no rows", where=uri, fix=fix)

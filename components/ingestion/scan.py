"""The first reading of each file: its digest, its columns, and every defect that bytes alone can show."""

from __future__ import annotations

import csv
import shutil
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from components.common.artifacts import SourceFile
from components.common.errors import BadInputError
from components.ingestion.config import IngestionConfig
from components.ingestion.convert import convert_arrow, convert_avro, require_kept
from components.ingestion.fetch import fetch_file
from components.ingestion.resolve import file_format
from components.ingestion.stores import FoundFile, Store
from components.ingestion.unpack import unpack_text

DELIMITERS = (",", "\t", ";", "|")
_NO_MARK = "byte order mark left out"


@dataclass(frozen=True, kw_only=True)
class ScannedFile:
    """One file, ready to be read as a table.

    Attributes:
        source: What the snapshot says of it.
        path: What the database reads: a link to the file, or a copy.
        format: `csv`, `lines` (JSON) or `parquet`; everything else has become Parquet.
        columns: Names in the order of the file; empty for JSON lines, which are read to know them.
        types: Type of each column of a Parquet file; empty for text.
        delimiter: What stands between the cells of CSV; None for others.
        partition: Values by column that its folders' names hold.
    """

    source: SourceFile
    path: Path
    format: str
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    delimiter: str | None = None
    partition: Mapping[str, str] = field(default_factory=dict[str, str])


def scan_file(store: Store, file: FoundFile, folder: Path, config: IngestionConfig) -> ScannedFile:
    """Fetch and digest one file, check it and lay it where the database may read it.

    Args:
        store: Where it is.
        file: What was resolved.
        folder: A folder to make, for a link to it or a copy of it.
        config: How to read it.

    Raises:
        BadInputError: The file is cut or corrupt, is no text of its encoding, holds NUL bytes, has no or
            doubtful column names, or has no rows although that is not allowed.
        UnavailableError: The file is not the one that was resolved, or its store failed.
    """
    kind, compression = file_format(file.uri)
    for key, value in file.partition.items():
        folder = folder / f"{quote(key, safe='')}={quote(value, safe='')}"
    folder.mkdir(parents=True)
    path, digest = fetch_file(store, file, folder / "fetched")
    source = SourceFile(uri=file.uri, bytes=path.stat().st_size, sha256=digest)
    if kind in ("csv", "lines"):
        path = unpack_text(path, compression, config.encoding, folder / "plain", uri=file.uri)
        if kind == "lines":
            source, path = _leave_out_mark(source, path, folder / "unmarked")
    elif kind in ("arrow", "avro"):
        convert = convert_arrow if kind == "arrow" else convert_avro
        path = convert(path, folder / "converted", uri=file.uri)
    link = folder / ("table.parquet" if kind not in ("csv", "lines") else "table.txt")
    link.symlink_to(path)
    if kind == "csv":
        return _scan_csv(source, link, config)
    if kind == "lines":
        _check_rows(path.stat().st_size > 0, source, config)
        return ScannedFile(source=source, path=link, format="lines")
    return scan_parquet(source, link, config, file.partition)


def scan_parquet(
    source: SourceFile, path: Path, config: IngestionConfig, partition: Mapping[str, str] | None = None
) -> ScannedFile:
    """Check a Parquet file's end, where its columns are.

    Raises:
        BadInputError: It is no complete Parquet file, has doubtful names, a span of time or no rows, or a
            column that its folders' names hold too.
    """
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        what = f"not a complete Parquet file: {str(error).splitlines()[0]}"
        raise BadInputError(what, where=source.uri, fix="write it again") from error
    schema: Any = metadata.schema.to_arrow_schema()
    check_columns([*schema.names, *(partition or {})], source.uri)
    require_kept(schema, source.uri)
    _check_rows(metadata.num_rows > 0, source, config)
    types = tuple(str(field.type) for field in schema)
    return ScannedFile(
        source=source, path=path, format="parquet", columns=tuple(schema.names), types=types,
        partition=partition or {},
    )  # fmt: skip


def check_columns(columns: Sequence[str], where: str) -> None:
    """Refuse columns that have no names, or names that SQL cannot tell apart.

    Raises:
        BadInputError: It is so.
    """
    if not any(columns):
        raise BadInputError("there is no header", where=where, fix="name the columns in the first line")
    if "" in columns:
        fix = "name every column (a table written with its index has such a one)"
        raise BadInputError(f"column {columns.index('') + 1} has no name", where=where, fix=fix)
    folded = [name.lower() for name in columns]
    if doubles := sorted({name for name in columns if folded.count(name.lower()) > 1}):
        fix = "rename them; case does not tell names apart"
        raise BadInputError(f"duplicate column names: {', '.join(doubles)}", where=where, fix=fix)


def _scan_csv(source: SourceFile, path: Path, config: IngestionConfig) -> ScannedFile:
    with path.open(encoding="utf-8", newline="") as lines:
        marked = lines.read(1) == "\ufeff"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        delimiter = config.delimiter or _find_delimiter(first)
        lines.seek(0)
        try:
            columns = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BadInputError(f"header cannot be read: {error}", where=f"{source.uri}:1") from error
        if len(columns) == 1 and _find_delimiter(first) != delimiter and _find_delimiter(first) in first:
            fix = f"set `ingestion.delimiter` to {_find_delimiter(first)!r}, or leave it out"
            raise BadInputError("one column only", where=f"{source.uri}:1", value=columns[0], fix=fix)
        check_columns(columns, f"{source.uri}:1")
        _check_rows(any(line.strip("\r\n") for line in lines), source, config)
    if marked:
        source = replace(source, note=_NO_MARK)
    return ScannedFile(source=source, path=path, format="csv", columns=tuple(columns), delimiter=delimiter)


def _find_delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _check_rows(found: bool, source: SourceFile, config: IngestionConfig) -> None:
    if not found and not config.allow_empty:
        what = "the source's query gives no rows" if source.query else "file has a header but no rows"
        fix = "leave it out, or set `ingestion.allow_empty: true`"
        raise BadInputError(what, where=source.uri, fix=fix)


def _leave_out_mark(source: SourceFile, path: Path, copy: Path) -> tuple[SourceFile, Path]:
    """Copy JSON lines without the byte order mark that they begin with; the reader of CSV skips it."""
    with path.open("rb") as marked:
        if marked.read(len(BOM_UTF8)) != BOM_UTF8:
            return source, path
        with copy.open("wb") as plain:
            shutil.copyfileobj(marked, plain)
    return replace(source, note=_NO_MARK), copy

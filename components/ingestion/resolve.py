"""Which files the sources name, and by what to tell, cheaply, that one of them has changed."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from components.common.config import whole
from components.common.errors import BadInputError
from components.ingestion.sources import DATABASES, SPAN, Source, read_sources, split_pin
from components.ingestion.spans import glob_of, select_window
from components.ingestion.stores import FoundFile, Store, normal_uri, open_store

_FORMATS: Mapping[str, str] = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "lines", "ndjson": "lines", "parquet": "parquet",
    "pq": "parquet", "arrow": "arrow", "feather": "arrow", "avro": "avro",
}  # fmt: skip
_SUFFIX = re.compile(rf"\.({'|'.join(_FORMATS)})(?:\.(gz|zst|zip))?$", re.IGNORECASE)
_TEXT = ("csv", "lines")


def resolve_files(
    sources: Mapping[str, Any], *, allowed_hosts: Sequence[str] = (), timeout_seconds: int = 30
) -> dict[str, list[FoundFile]]:
    """Find the files of each source; a database's query is one of them.

    Args:
        sources: For each name a uri, a list of them, or a mapping of `Source`'s fields.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.
        timeout_seconds: Longest wait for a store to bring anything.

    Returns:
        The files by source name, sorted by uri, each once.

    Raises:
        BadInputError: A declaration is wrong; a pattern matches nothing, an empty file or one of an
            unknown format; no file is in the window; or one source mixes formats.
        UnavailableError: A store does not answer.
    """
    found: dict[str, list[FoundFile]] = {}
    for name, source in read_sources(sources).items():
        where = f"sources.{name}"
        if source.scheme in DATABASES:
            found[name] = [_identify_query(source, where)]
            continue
        store = open_store(
            source, where=where, allowed_hosts=allowed_hosts, timeout_seconds=timeout_seconds
        )
        files = {file.uri: file for uri in source.uris for file in _find(store, source, uri, where)}
        found[name] = [files[uri] for uri in sorted(files)]
        if len(formats := {file_format(file.uri)[0] for file in found[name]}) > 1:
            what = f"one source mixes formats: {', '.join(sorted(formats))}"
            raise BadInputError(what, where=where, fix="make two sources")
    return found


def file_format(uri: str) -> tuple[str, str | None]:
    """Tell a file's format by its name.

    Returns:
        `csv`, `lines`, `parquet`, `arrow` or `avro`, and the packing around it: `gz`, `zst`, `zip`, None.

    Raises:
        BadInputError: The name ends in nothing that is read.
    """
    plain = split_pin(uri)[0]
    match = _SUFFIX.search(urlsplit(plain).path if "://" in plain else plain)
    kind = _FORMATS[match[1].lower()] if match else ""
    if match is None or (match[2] and kind not in _TEXT):
        fix = (
            "use .csv, .tsv, .txt, .jsonl or .ndjson (also with .gz, .zst or .zip), .parquet, .arrow, "
            ".feather or .avro; for a database give a `query`"
        )
        raise BadInputError("not a kind of file that is read", where=uri, fix=fix)
    return kind, match[2].lower() if match[2] else None


def _find(store: Store, source: Source, uri: str, where: str) -> list[FoundFile]:
    uri, spanned = normal_uri(uri), SPAN.search(uri) is not None
    files = store.find(glob_of(uri) if spanned else uri)
    if not files:
        what = "pattern matches no file" if spanned or re.search(r"[*?\[]", uri) else "file does not exist"
        raise BadInputError(what, where=where, value=uri, fix="correct the path")
    _tell_unread(files, where)
    for file in files:
        file_format(file.uri)
        if file.bytes == 0:
            fix = "write it again, or leave it out"
            raise BadInputError("file is empty (0 bytes)", where=file.uri, fix=fix)
    return _in_window(files, source, uri, where) if spanned else files


def _tell_unread(files: Sequence[FoundFile], where: str) -> None:
    """Say it when folders' names hold values that are not read: those of text."""
    keys = sorted({key for file in files if file_format(file.uri)[0] in _TEXT for key in file.partition})
    if keys:
        named = ", ".join(f"`{key}`" for key in keys)
        sys.stdout.write(f"{where}: {named} in folders' names are no columns of CSV and JSON lines\n")


def _in_window(files: Sequence[FoundFile], source: Source, uri: str, where: str) -> list[FoundFile]:
    by_path = {file.uri: file for file in files}
    chosen = select_window(uri, by_path, span=source.span, window=source.window, where=where)
    if chosen.missing:
        more = chosen.missing - len(chosen.first_missing)
        told = ", ".join(chosen.first_missing) + (f" and {more} more" if more else "")
        sys.stdout.write(f"{where}: no file yet for {told}\n")
    return [by_path[path] for path in chosen.paths]


def _identify_query(source: Source, where: str) -> FoundFile:
    """Name what a query reads: by `as_of`, or as something new each time."""
    if source.as_of is not None:
        return FoundFile(uri=source.uris[0], identity=f"as of {whole(source.as_of)}")
    sys.stdout.write(f"{where}: read each time, since no `as_of` says which state of the database it is\n")
    return FoundFile(uri=source.uris[0], identity=uuid.uuid4().hex)

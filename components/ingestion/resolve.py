"""Which files the sources name, and by what to tell that one of them has changed."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from components.common.config import require_known, whole
from components.common.errors import BadInputError, UnavailableError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMATS = re.compile(r"\.(?:(csv|tsv|txt)(?:\.(gz|zst|zip))?|(parquet|pq))$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """One file that a source names.

    Attributes:
        uri: Its absolute path.
        bytes: Its size.
        modified: Its time of change in nanoseconds since 1970, as a string: KFP would round a number.
    """

    uri: str
    bytes: int
    modified: str

    @property
    def path(self) -> Path:
        """Where to read it."""
        return Path(self.uri)


def resolve_files(sources: Mapping[str, Any]) -> dict[str, list[FoundFile]]:
    """Find the files of each source.

    Args:
        sources: For each name a uri or a list of them: local paths, `file://` paths or globs (`**`
            goes through folders), to CSV (also .gz, .zst, .zip) or Parquet files.

    Returns:
        The files by source name, sorted by path, each once.

    Raises:
        BadInputError: A name is no SQL identifier; a uri is of a kind this version does not read; a
            pattern matches nothing, a folder, an empty file or one of an unknown format; or one
            source mixes CSV and Parquet.
    """
    if not sources:
        fix = "name at least one, such as `sources: {table: data/table.csv}`"
        raise BadInputError("there are no sources", where="parameter `sources`", fix=fix)
    _check_names(sources)
    return {name: _find(name, _patterns(name, sources[name])) for name in sorted(sources)}


def recall_files(sources: Mapping[str, Any], identities: Mapping[str, Any]) -> dict[str, list[FoundFile]]:
    """Read back what `resolve_files` found, after KFP has carried it.

    Raises:
        BadInputError: `identities` does not belong to `sources`, or is not of that form.
    """
    require_known(identities, list(sources), where="identities")
    require_known(sources, list(identities), where="sources")
    _check_names(sources)
    try:
        return {name: [FoundFile(**whole(file)) for file in identities[name]] for name in sorted(sources)}
    except TypeError as error:
        fix = "pass the output of `resolve_sources`"
        raise BadInputError(
            f"not a list of files: {error}", where="parameter `identities`", fix=fix
        ) from error


def check_unchanged(file: FoundFile) -> None:
    """Make sure that a file is still the one that was resolved.

    Raises:
        UnavailableError: Its size or its time of change differs, or it is gone.
    """
    fix = "run again when nothing writes to it"
    try:
        now = _identify(file.path)
    except FileNotFoundError as error:
        raise UnavailableError("source changed: the file is gone", where=file.uri, fix=fix) from error
    if now != file:
        value = (
            f"{now.bytes} bytes, expected {file.bytes}"
            if now.bytes != file.bytes
            else "another time of change"
        )
        raise UnavailableError("source changed during the run", where=file.uri, value=value, fix=fix)


def file_format(path: Path) -> tuple[str, str | None]:
    """Tell a file's format by its name.

    Returns:
        `csv` or `parquet`, and the compression around it: `gz`, `zst`, `zip` or None.

    Raises:
        BadInputError: The name ends in nothing that is read.
    """
    match = _FORMATS.search(path.name)
    if match is None:
        fix = "use .csv, .tsv or .txt (also with .gz, .zst or .zip), or .parquet"
        raise BadInputError("not a kind of file that is read", where=path, fix=fix)
    return ("parquet", None) if match[3] else ("csv", match[2].lower() if match[2] else None)


def _check_names(sources: Mapping[str, Any]) -> None:
    for name in sources:
        if not _IDENTIFIER.fullmatch(name):
            fix = "use letters, digits and underscores, no digit first: queries use the name"
            raise BadInputError("not a name for a source", where="parameter `sources`", value=name, fix=fix)
    folded = {name.lower() for name in sources}
    if len(folded) < len(sources):
        raise BadInputError(
            "names of sources must differ by more than case",
            where="parameter `sources`",
            value=sorted(sources),
        )


def _patterns(name: str, uris: object) -> list[str]:
    listed = [uris] if isinstance(uris, str) else uris
    if (
        not isinstance(listed, list)
        or not listed
        or not all(isinstance(uri, str) and uri for uri in listed)
    ):
        raise BadInputError("must be a uri or a list of uris", where=f"sources.{name}", value=uris)
    return [_local_pattern(name, str(uri)) for uri in listed]


def _local_pattern(name: str, uri: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", uri)
    if scheme is None:
        return os.path.abspath(os.path.expanduser(uri))
    if scheme[1].lower() != "file":
        what = f"not supported yet by this version: {scheme[1].lower()}:// sources"
        raise BadInputError(
            what, where=f"sources.{name}", value=uri, fix="copy the files to a local folder"
        )
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise BadInputError(
            "file:// must name a path here", where=f"sources.{name}", value=uri, fix="file:///…"
        )
    return os.path.abspath(unquote(uri.split("://", 1)[1].removeprefix("localhost")))


def _find(name: str, patterns: list[str]) -> list[FoundFile]:
    paths = sorted({path for pattern in patterns for path in _match(name, pattern)})
    formats = {file_format(Path(path))[0] for path in paths}
    if len(formats) > 1:
        raise BadInputError(
            "one source mixes CSV and Parquet files", where=f"sources.{name}", fix="make two sources"
        )
    return [_identify(Path(path)) for path in paths]


def _match(name: str, pattern: str) -> list[str]:
    if os.path.exists(pattern):
        paths = [pattern]
    else:
        paths = [path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path)]
    if not paths:
        kind = "pattern matches no file" if glob.has_magic(pattern) else "file does not exist"
        raise BadInputError(kind, where=f"sources.{name}", value=pattern, fix="correct the path")
    for path in paths:
        _check_file(path)
    return paths


def _check_file(path: str) -> None:
    if os.path.isdir(path):
        raise BadInputError("a folder is no table", where=path, fix=f"name its files, such as {path}/*.csv")
    if os.path.getsize(path) == 0:
        raise BadInputError("file is empty (0 bytes)", where=path, fix="write it again, or leave it out")


def _identify(path: Path) -> FoundFile:
    status = path.stat()
    return FoundFile(uri=str(path), bytes=status.st_size, modified=str(status.st_mtime_ns))

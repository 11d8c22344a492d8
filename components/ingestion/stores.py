"""The one seam to where files are: find them, tell whether they changed, read their bytes."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from components.common.errors import BadInputError
from components.ingestion.sources import Source, split_pin, split_scheme

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """One file that a source names, or one query of a database.

    Attributes:
        uri: Where it is: an absolute path or a uri without secrets, `#sha256=…` at its end when pinned.
        identity: What becomes another when the content does: time of change in nanoseconds since 1970,
            etag, version id, pinned digest, or `as_of`. A string: KFP would round a number.
        bytes: Its size, or None where it is not told beforehand.
        partition: Values by column that its folders' names hold (`year=2013`).
    """

    uri: str
    identity: str
    bytes: int | None = None
    partition: Mapping[str, str] = field(default_factory=dict[str, str])


class Store(Protocol):
    """A kind of place; its errors are named ones, `UnavailableError` where asking again may help."""

    def find(self, uri: str) -> list[FoundFile]:
        """List the files that a uri, a glob or a folder names; none is an empty list.

        Raises:
            BadInputError: The place is not there or may not be entered.
            UnavailableError: It does not answer.
        """
        ...

    def identify(self, file: FoundFile) -> FoundFile | None:
        """Return the file as it is now, or None when it is gone."""
        ...

    def local_path(self, file: FoundFile) -> Path | None:
        """Return where the file can be read in place, or None when it must be fetched."""
        ...

    def read(self, file: FoundFile, offset: int) -> Iterator[bytes]:
        """Yield the file's bytes in pieces, from an offset on."""
        ...


class LocalFiles:
    """Paths and `file://` uris of this machine."""

    def find(self, uri: str) -> list[FoundFile]:
        """List the files of a path, a glob (`**` goes through folders) or a folder of Parquet files."""
        path, pin = split_pin(uri)
        if os.path.isdir(path):
            tables = tables_in(glob.glob(f"{glob.escape(path)}/**/*", recursive=True), path)
            if not tables:
                fix = f"name its files, such as {path}/*.csv"
                raise BadInputError("a folder without Parquet files is no table", where=path, fix=fix)
            return [self._found(name, None, path) for name in tables]
        if os.path.exists(path):
            return [self._found(path, pin)]
        matches = (name for name in glob.glob(path, recursive=True) if not os.path.isdir(name))
        return [self._found(name, pin, fixed_folder(path)) for name in sorted(matches)]

    def identify(self, file: FoundFile) -> FoundFile | None:
        """Return the file with its present size and time of change."""
        try:
            status = os.stat(self.local_path(file))
        except FileNotFoundError:
            return None
        now = FoundFile(uri=file.uri, identity=str(status.st_mtime_ns), bytes=status.st_size)
        return replace(now, partition=file.partition)

    def local_path(self, file: FoundFile) -> Path:
        """Return its path."""
        return Path(split_pin(file.uri)[0])

    def read(self, file: FoundFile, offset: int) -> Iterator[bytes]:
        """Yield the file's bytes."""
        with self.local_path(file).open("rb") as stream:
            stream.seek(offset)
            while piece := stream.read(PIECE_BYTES):
                yield piece

    def _found(self, path: str, pin: str | None, folder: str | None = None) -> FoundFile:
        if not os.access(path, os.R_OK):
            raise BadInputError(
                "file may not be read", where=path, fix="give the task the right to read it"
            )
        status = os.stat(path)
        return FoundFile(
            uri=path if pin is None else f"{path}#sha256={pin}", identity=str(status.st_mtime_ns),
            bytes=status.st_size, partition={} if folder is None else partition_of(path, folder),
        )  # fmt: skip


def open_store(
    source: Source, *, where: str, allowed_hosts: Sequence[str] = (), timeout_seconds: int = 30
) -> Store:
    """Return the store that a source's files are in.

    Args:
        source: The declaration; its credentials are followed here.
        where: The source, for errors.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.
        timeout_seconds: Longest wait for anything to arrive.

    Raises:
        BadInputError: A credential is not there.
    """
    if source.scheme == "file":
        return LocalFiles()
    if source.scheme in ("s3", "gs"):
        from components.ingestion.object_store import ObjectStore  # slow to import, and seldom needed

        return ObjectStore(source, where=where, timeout_seconds=timeout_seconds)
    from components.ingestion.web_store import WebStore

    return WebStore(source, where=where, allowed_hosts=allowed_hosts, timeout_seconds=timeout_seconds)


def tables_in(paths: Sequence[str], folder: str) -> list[str]:
    """Return the Parquet files among a folder's paths, sorted; hidden and `_` ones are no data."""
    kept = []
    for path in sorted(paths):
        parts = path[len(folder) :].strip("/").split("/")
        hidden = any(part.startswith((".", "_")) and "=" not in part for part in parts)
        if not hidden and re.search(r"\.(parquet|pq)$", parts[-1], re.IGNORECASE):
            kept.append(path)
    return kept


def fixed_folder(pattern: str) -> str:
    """Return the folder in which a glob begins to look."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]


def partition_of(path: str, folder: str) -> dict[str, str]:
    """Return the values that the folders between a folder and a file hold in their names."""
    parts = path[len(folder) :].strip("/").split("/")[:-1]
    pairs = (part.partition("=") for part in parts)
    return {unquote(key): unquote(value) for key, equals, value in pairs if equals and key}


def normal_uri(uri: str) -> str:
    """Return a uri in the form in which stores name files: an absolute path, or the scheme's usual name."""
    scheme, rest = split_scheme(uri)
    if scheme != "file":
        return f"{scheme}://{rest}"
    plain, pin = split_pin(uri)
    return _local_path(plain) + (f"#sha256={pin}" if pin else "")


def _local_path(uri: str) -> str:
    if not uri.lower().startswith("file://"):
        return os.path.abspath(os.path.expanduser(uri))
    if urlsplit(uri).netloc not in ("", "localhost"):
        raise BadInputError("file:// must name a path here", where="sources", value=uri, fix="file:///…")
    path = unquote(uri.split("://", 1)[1].removeprefix("localhost"))
    if ".." in path.split("/"):
        fix = "write the path itself"
        raise BadInputError("URI not allowed: it has `..`", where="sources", value=uri, fix=fix)
    return os.path.abspath(path)

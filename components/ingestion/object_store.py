"""Files in object stores, `s3://` and `gs://`, by fsspec."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError, UnavailableError
from components.ingestion.credentials import conceal, reveal
from components.ingestion.sources import Source, split_pin
from components.ingestion.stores import FoundFile, fixed_folder, partition_of, tables_in

_RANGE_BYTES = 8 << 20
_FORMATS = (".parquet", ".pq", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".arrow", ".feather", ".avro")
_FRESH = {"skip_instance_cache": True, "use_listings_cache": False}  # a store changes while we live
_Opening = tuple[Callable[[Mapping[str, str]], Any], tuple[type[Exception], ...]]
_PACKED = (".gz", ".zst", ".zip")


class ObjectStore:
    """One source's view of an object store.

    The address of the store comes from the environment (`AWS_ENDPOINT_URL`, `STORAGE_EMULATOR_HOST`); so do
    keys, unless the source refers to others.
    """

    def __init__(self, source: Source, *, where: str, timeout_seconds: int) -> None:
        self._where, self._scheme = where, source.scheme
        self._secrets = reveal(source.credentials, where=where)
        opened, self._failures = (_open_s3 if source.scheme == "s3" else _open_gs)(timeout_seconds)
        with self._named(where):
            self._files: Any = opened(self._secrets)

    def find(self, uri: str) -> list[FoundFile]:
        """List an object, the objects of a glob, or the Parquet objects below a prefix."""
        plain, pin = split_pin(uri)
        path = plain.split("://", 1)[1]
        with self._named(plain):
            if _is_folder(path):
                listed = tables_in(self._files.find(path), path.rstrip("/"))
                return [self._found(self._files.info(name), None, path.rstrip("/")) for name in listed]
            if any(mark in path for mark in "*?["):
                found = self._files.glob(path, detail=True)
                return [self._found(found[name], pin, fixed_folder(path)) for name in sorted(found)]
            try:
                told = self._files.info(path)
            except FileNotFoundError:
                return []
            return [] if told["type"] == "directory" else [self._found(told, pin)]

    def identify(self, file: FoundFile) -> FoundFile | None:
        """Return the object with its present size and etag or version."""
        plain, pin = split_pin(file.uri)
        with self._named(plain):
            try:
                now = self._found(self._files.info(plain.split("://", 1)[1]), pin)
            except FileNotFoundError:
                return None
        return replace(now, partition=file.partition)

    def local_path(self, file: FoundFile) -> Path | None:
        """Return None: an object is fetched."""
        return None

    def read(self, file: FoundFile, offset: int) -> Iterator[bytes]:
        """Yield the object in ranges of 8 MiB."""
        plain = split_pin(file.uri)[0]
        path, size = plain.split("://", 1)[1], int(file.bytes or 0)
        while offset < size:
            with self._named(plain):
                piece = self._files.cat_file(path, start=offset, end=min(offset + _RANGE_BYTES, size))
            if not piece:
                raise UnavailableError("the object ends too early", where=plain, value=offset)
            offset += len(piece)
            yield piece

    def _found(self, info: Mapping[str, Any], pin: str | None, folder: str | None = None) -> FoundFile:
        uri = f"{self._scheme}://{info['name']}" + (f"#sha256={pin}" if pin else "")
        tags = (info.get(key) for key in ("VersionId", "generation", "ETag", "etag"))
        tag = next((str(tag).strip('"') for tag in tags if tag and tag != "null"), "")
        partition = {} if folder is None else partition_of(str(info["name"]), folder)
        return FoundFile(uri=uri, identity=tag, bytes=int(info["size"]), partition=partition)

    @contextmanager
    def _named(self, where: str) -> Generator[None]:
        """Turn the libraries' errors into ours, without secrets."""
        try:
            yield
        except FileNotFoundError as error:
            raise BadInputError(
                "nothing is there", where=where, fix="check the bucket and the path"
            ) from error
        except self._failures as error:
            told = conceal(f"{type(error).__name__}: {error}", self._secrets)
            if isinstance(error, PermissionError) or "redential" in type(error).__name__:
                fix = "check the keys, and what they may read"
                raise BadInputError(f"the object store refused: {told}", where=where, fix=fix) from error
            fix = "run again when it answers"
            raise UnavailableError(f"the object store failed: {told}", where=where, fix=fix) from error


def _is_folder(path: str) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    return path.endswith("/") or not (name.endswith(_FORMATS) or any(mark in name for mark in "*?["))


def _open_s3(timeout_seconds: int) -> _Opening:
    from botocore.exceptions import BotoCoreError
    from s3fs import S3FileSystem

    limits = {"connect_timeout": min(10, timeout_seconds), "read_timeout": timeout_seconds}
    config = {**limits, "retries": {"max_attempts": 3, "mode": "standard"}}
    opened = partial(S3FileSystem, config_kwargs=config, **_FRESH)
    return lambda secrets: opened(**secrets), (OSError, BotoCoreError)


def _open_gs(timeout_seconds: int) -> _Opening:
    from aiohttp import ClientError
    from gcsfs.core import GCSFileSystem  # not the one that asks for a kind of bucket by gRPC first
    from gcsfs.retry import HttpError
    from google.auth.exceptions import GoogleAuthError

    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it would log a traceback before our line
    opened = partial(GCSFileSystem, timeout=timeout_seconds, **_FRESH)
    failures = (OSError, HttpError, GoogleAuthError, ClientError)
    return lambda secrets: opened(**({"token": _key(secrets["token"])} if secrets else {})), failures


def _key(token: str) -> object:
    """Return a service account's key as gcsfs takes it: the JSON that the reference led to."""
    try:
        return json.loads(token)
    except ValueError as error:
        fix = "refer to the JSON key of a service account"
        raise BadInputError("not a key of Google Cloud", where="credentials.token", fix=fix) from error

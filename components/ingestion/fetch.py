"""Bringing a file's bytes here: digested as they pass, asked for again when a line breaks."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import IO, Any

from components.common.errors import BadInputError, UnavailableError
from components.common.storage import file_digest
from components.ingestion.sources import split_pin
from components.ingestion.stores import FoundFile, Store

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5  # doubled after each attempt


def fetch_file(store: Store, file: FoundFile, copy: Path) -> tuple[Path, str]:
    """Make a file readable here and digest it.

    Args:
        store: Where it is.
        file: What was resolved.
        copy: Where to put it, when it is not on this machine.

    Returns:
        The path to read, and the sha256 of its bytes.

    Raises:
        BadInputError: It has no bytes, or its pinned digest is another.
        UnavailableError: It is not the one that was resolved, or the store failed each time it was asked.
    """
    check_unchanged(store, file)
    path = store.local_path(file)
    digest = _download(store, file, copy) if path is None else file_digest(path)
    path = path or copy
    if path.stat().st_size == 0:
        raise BadInputError(
            "file is empty (0 bytes)", where=file.uri, fix="write it again, or leave it out"
        )
    plain, pin = split_pin(file.uri)
    if pin is not None and pin != digest:
        fix = "the file is not the one that was pinned: find out why, then correct the pin"
        raise BadInputError(f"digest differs: expected sha256 {pin}", where=plain, value=digest, fix=fix)
    if path == copy:
        check_unchanged(store, file)
    return path, digest


def check_unchanged(store: Store, file: FoundFile) -> None:
    """Make sure that a file is still the one that was resolved.

    Raises:
        UnavailableError: Its size or its identity differs, or it is gone.
    """
    fix = "run again when nothing writes to it"
    now = store.identify(file)
    if now is None:
        raise UnavailableError("source changed: the file is gone", where=file.uri, fix=fix)
    if now != file:
        grown = f"{now.bytes} bytes, expected {file.bytes}"
        value = grown if now.bytes != file.bytes else f"identity {now.identity}, expected {file.identity}"
        raise UnavailableError("source changed during the run", where=file.uri, value=value, fix=fix)


def _download(store: Store, file: FoundFile, copy: Path) -> str:
    digest, pause = hashlib.sha256(), FIRST_PAUSE_SECONDS
    with copy.open("wb") as out:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _append(store, file, out, digest)
                break
            except UnavailableError:
                if attempt == ATTEMPTS:
                    raise
            time.sleep(pause)
            pause *= 2
    return digest.hexdigest()


def _append(store: Store, file: FoundFile, out: IO[bytes], digest: Any) -> None:
    for piece in store.read(file, out.tell()):
        out.write(piece)
        digest.update(piece)

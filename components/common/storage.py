"""The one seam through which outputs appear: complete or absent, and known by their content."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.common.errors import BadInputError, ComponentError, UnavailableError

_CHUNK = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RIGHT = (errno.EROFS, errno.EACCES, errno.EPERM)
_IN_THE_WAY = (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR)  # a folder, which no rename replaces


@contextmanager
def publishing(target: Path) -> Generator[Path]:
    """Write a file or a folder beside its target and rename it into place when the block ends well.

    What stood at the target is replaced. After an error, or a kill, the target is as it was; a
    kill may leave a `.tmp-…` sibling, which nothing reads.

    Args:
        target: Where the finished file or folder shall appear. Parents are made.

    Yields:
        A path beside the target that does not exist yet; write a file or make a folder there.

    Raises:
        BadInputError: The parent folder cannot be made or written to.
        UnavailableError: There is no room left.
        FileNotFoundError: The block wrote nothing.
    """
    make_folder(target.parent)
    draft = target.with_name(f".{target.name}.tmp-{uuid.uuid4().hex[:12]}")
    try:
        yield draft
        _fsync_tree(draft)
        _replace(draft, target)
        _fsync(target.parent)
    except OSError as error:
        if (named := not_writable(error, target)) is None:
            raise
        raise named from error
    finally:
        _remove(draft)


def not_writable(error: OSError, where: Path) -> ComponentError | None:
    """Return what to tell of an error of writing; None when it is of another kind.

    Args:
        error: What the system said.
        where: What was to be written, or a folder above it.
    """
    reason = error.strerror or type(error).__name__
    if error.errno in _NO_ROOM:
        free = f"{_free_bytes(where):,} bytes are free there"
        fix = "free some space, or raise the limit, and run again"
        return UnavailableError(f"cannot be written: {reason}; {free}", where=where, fix=fix)
    concerns = error.filename is None or str(error.filename).startswith(str(where.parent))
    if error.errno in _NO_RIGHT and concerns:
        fix = "make it writable, or choose another place"
        return BadInputError(f"cannot be written: {reason}", where=where, fix=fix)
    return None


def _free_bytes(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, where they are missing.

    Raises:
        BadInputError: It cannot be made: something on the way is a file, or may not be written to.
        UnavailableError: There is no room left.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in _NO_ROOM and (named := not_writable(error, folder)):
            raise named from error
        reason = error.strerror or type(error).__name__
        fix = "choose a folder that you may write to"
        raise BadInputError(f"folder cannot be made: {reason}", where=folder, fix=fix) from error


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hexadecimal digits, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def content_digest(path: Path, *, only: Callable[[str], bool] = lambda name: True) -> str:
    """Return the sha256 that names what lies at a path, whatever its name, owner or times.

    Left out, because it is no content: `fingerprint.pb` of a SavedModel (a random uuid), HTML (a
    rendering of files that are digested themselves) and hidden files (drafts of `publishing`).

    Args:
        path: A file or a folder.
        only: Takes a file's path relative to the folder (POSIX form); False leaves it out.

    Returns:
        64 hexadecimal digits. A folder's is over its sorted relative paths and their files' digests.

    Raises:
        FileNotFoundError: Nothing is there.
    """
    if not path.is_dir():
        return file_digest(path)
    digest = hashlib.sha256()
    for name, file in content_files(path):
        if only(name):
            digest.update(f"{name}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()


def content_files(folder: Path) -> list[tuple[str, Path]]:
    """List the files of a folder that are content, as (POSIX relative path, path), sorted."""
    files = ((file.relative_to(folder), file) for file in folder.rglob("*") if file.is_file())
    return sorted((name.as_posix(), file) for name, file in files if _is_content(name))


def _is_content(name: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and name.name != "fingerprint.pb" and name.suffix != ".html"


def _replace(draft: Path, target: Path) -> None:
    """Rename, and move a folder that stands there away first, again when another has put its own there."""
    moved: list[Path] = []
    while True:
        try:
            draft.replace(target)
            break
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
        old = target.with_name(f".{target.name}.old-{uuid.uuid4().hex[:12]}")
        with suppress(FileNotFoundError):  # another has moved it away
            target.rename(old)
            moved.append(old)
    for old in moved:
        shutil.rmtree(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _fsync_tree(path: Path) -> None:
    if path.is_dir():
        for inner in path.rglob("*"):
            _fsync(inner)
    _fsync(path)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

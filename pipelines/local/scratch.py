"""The temporary folder of a run, outside the run's own: sockets are made in it, whose paths are short."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "millrace-run-"


class Scratch:
    """A folder that ends with the run, or is removed by the next one when the run was killed.

    Attributes:
        folder: Where it is.
    """

    def __init__(self) -> None:
        """Remove what runs left that were killed, and make a folder."""
        _remove_left()
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            if self.folder.exists():  # else another run took it for one that was left
                return
            os.close(self._handle)

    def close(self) -> None:
        """Remove it; a second time does nothing."""
        if self._handle >= 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._handle)
            self._handle = -1


def _remove_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid():
                _remove_unless_used(folder)


def _remove_unless_used(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)

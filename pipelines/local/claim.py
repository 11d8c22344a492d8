"""Who is at work under a root: locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from components.common.errors import UnavailableError

_GLANCE_SECONDS = 1.0  # `is_claimed` holds a run's lock for a moment


class Claim:
    """Says that a run is under way, until it is released or this process ends."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Claim a run's folder; waits while `millrace clean` is at work under the root.

        Args:
            root: Folder of runs.
            folder: Folder of the run.

        Raises:
            UnavailableError: The run is under way.
        """
        self._handles = [_open(root), _open(folder)]
        fcntl.flock(self._handles[0], fcntl.LOCK_SH)
        try:
            _take_run(self._handles[1], folder)
        except UnavailableError:
            self.release()
            raise

    def release(self) -> None:
        """End the claim; a second time does nothing."""
        while self._handles:
            os.close(self._handles.pop())


def is_claimed(folder: Path) -> bool:
    """Tell whether a run is under way in a folder."""
    handle = _open(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def no_run(root: Path) -> Generator[None]:
    """Keep runs from starting under a root.

    Raises:
        UnavailableError: One is under way.
    """
    handle = _open(root)
    try:
        _take_alone(handle, root)
        yield
    finally:
        os.close(handle)


def _take_alone(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        fix = "try again when it has ended; `millrace runs` lists it"
        raise UnavailableError("a run is under way", where=root, fix=fix) from error


def _take_run(handle: int, folder: Path) -> None:
    deadline = time.monotonic() + _GLANCE_SECONDS
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                fix = f"wait for its end; `millrace logs {folder.name} -f` shows what it does"
                raise UnavailableError("the run is under way", where=folder, fix=fix) from error
            time.sleep(0.02)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

"""SIGTERM: the wish to end, heard between two steps."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

EXIT_TERMINATED = 128 + signal.SIGTERM


def end_when_terminated() -> None:
    """Let SIGTERM end this process with status 143, unless it is being listened for."""
    signal.signal(signal.SIGTERM, _end)


@contextmanager
def listening() -> Generator[Callable[[], bool]]:
    """Note SIGTERM within the block instead of obeying it.

    Yields:
        A function that says whether it has come.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # only that one may listen
        yield lambda: False
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(EXIT_TERMINATED)

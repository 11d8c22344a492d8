"""Writes one file again and again in a thread of its own, so that nobody waits who need not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Writer:
    """Requests that come while it writes are one: what is written next holds what all of them changed."""

    def __init__(self, write: Callable[[], None], name: str) -> None:
        """Prepare to call `write`, in a thread of this name."""
        self._write = write
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._next: Future[None] | None = None

    def request(self) -> Future[None]:
        """Ask for a write; the result is there when one has ended that began after this call."""
        with self._lock:
            if self._next is None:
                self._next = self._thread.submit(self._run)
            return self._next

    def close(self) -> None:
        """Wait for the last write; none can be asked for afterwards."""
        self._thread.shutdown()

    def _run(self) -> None:
        with self._lock:
            self._next = None
        self._write()

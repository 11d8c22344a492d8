"""A process group: awaited, measured, and never left behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipelines.local.secrets.masking import Mask, MaskedStream

LOG_LIMIT_BYTES = 64 << 20
_CHUNK = 1 << 16
_OF_EXECUTOR = re.compile(r"\A(?:.*\n)*?\[KFP Executor .*Got executor_input:\n\{\n(?:.*\n)*?\}\n")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How a command ended and what it took.

    Attributes:
        exit_code: Its status; minus the number of the signal that killed it.
        cpu_seconds: User and system time of it and of the processes that it waited for.
        peak_memory_bytes: Largest resident size of one of these processes; at least that of the process it
            was forked from, which Linux counts for a child until it executes a command.
    """

    exit_code: int
    cpu_seconds: float
    peak_memory_bytes: int


class ProcessGroup:
    """A running process that leads its own group; how it is awaited and measured is for its kind to say."""

    def __init__(self, pid: int, output: IO[bytes], log: IO[bytes], mask: Mask) -> None:
        """Copy what it writes, masked, into the log, which is cut after 64 MiB with a line that says so."""
        self.pid = pid
        self._reaped = False
        self._grace_ends = 0.0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=_copy, args=(output, log, mask), daemon=True)
        self._reader.start()

    def wait(self) -> Usage:
        """Wait for the end, end what the process left running, and return its usage; call it once.

        The leader of a group that is being stopped may be a shell that ends ahead of the work itself: then
        the others keep their time.
        """
        self._await_end()
        while time.monotonic() < self._grace_ends and _is_alive(self.pid):
            time.sleep(0.02)
        with self._lock:
            _signal_group(self.pid, signal.SIGKILL)
            usage = self._reap()
            self._reaped = True
        self._reader.join(timeout=5)  # only a process that left the group can still hold the pipe
        return usage

    def stop(self, grace_seconds: float) -> None:
        """Ask all processes of the group to end; `wait` kills those that are left after the grace."""
        self._grace_ends = time.monotonic() + grace_seconds
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Kill all processes of the group."""
        self._grace_ends = 0.0
        self._send(signal.SIGKILL)

    def _await_end(self) -> None:
        """Wait for the end; kept as a zombie, the group of the process cannot be another's."""
        raise NotImplementedError

    def _reap(self) -> Usage:
        """Take the status of the process that ended."""
        raise NotImplementedError

    def _send(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._reaped:
                _signal_group(self.pid, number)


def _copy(pipe: IO[bytes], log: IO[bytes], mask: Mask) -> None:
    left, masked = LOG_LIMIT_BYTES, MaskedStream(mask)
    with pipe, suppress(OSError), log:  # closing tries to write once more what did not fit
        while piece := os.read(pipe.fileno(), _CHUNK):
            try:
                if left > 0:
                    log.write(masked.feed(piece[:left]))
                    if len(piece) >= left:
                        log.write(b"\n[log cut here: a task may write 64 MiB]\n")
            except OSError:  # no room: the task goes on, and what it cannot write it says itself
                left = 0
            left -= len(piece)
        if left > 0:
            log.write(masked.end())


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _is_alive(group: int) -> bool:
    """Tell whether a process of a group is more than a zombie."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, found = (
                file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
            )
        except (OSError, ValueError):
            continue  # it ended while we looked
        if int(found) == group and state not in "ZX":
            return True
    return False


async def end_in_time(process: ProcessGroup, ending: asyncio.Future[Usage], grace_seconds: float) -> None:
    """Ask a process group to end, and kill it when it is still there after the grace.

    Args:
        process: The group.
        ending: Its `wait`, which is under way in a thread.
        grace_seconds: The time it has.
    """
    process.stop(grace_seconds)
    await asyncio.wait({ending}, timeout=grace_seconds)
    process.kill()


def last_line(log: Path) -> str | None:
    """Return a log's last line that is not empty, cut at 2,000 characters; None when there is none.

    What KFP's executor writes ahead of a task's own function is passed over.
    """
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _CHUNK))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return None
    lines = _OF_EXECUTOR.sub("", text).splitlines()
    return next((line.strip()[:2000] for line in reversed(lines) if line.strip()), None)

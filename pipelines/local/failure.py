"""A task that did not end well: why, and whether it is tried again."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from components.common.images import IMAGE_PREFIX
from pipelines.local.launch import last_line
from pipelines.local.plan import Retry

NAMED_EXITS = (2, 3, 4)
_SIGNAL_HINTS = {int(signal.SIGKILL): " (perhaps for want of memory)", int(signal.SIGSEGV): " (crashed)"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How one attempt failed.

    Attributes:
        message: Why.
        exit_code: Status for the run.
        again: A further attempt may succeed.
    """

    message: str
    exit_code: int
    again: bool = True


def failure_of(log: Path, exit_code: int, timeout: float | None, *, image: str = "") -> Failure:
    """Return how a command failed.

    Args:
        log: What it wrote.
        image: What it ran in. Ours say by 2 and 3 that to repeat them cannot help.
        exit_code: Its status; minus the number of the signal that killed it.
        timeout: The seconds that it had when they were over, or None.
    """
    named = exit_code in NAMED_EXITS and timeout is None
    final = named and exit_code in (2, 3) and image.startswith(IMAGE_PREFIX)
    return Failure(
        message=_cause(log, exit_code, timeout), exit_code=exit_code if named else 1, again=not final
    )


def _cause(log: Path, exit_code: int, timeout: float | None) -> str:
    line = last_line(log)
    if timeout is not None:
        return f"timed out after {timeout:g} s: {line or 'no output'}"
    number = -exit_code if exit_code < 0 else exit_code - 128 if exit_code > 128 else 0
    if number:
        return f"killed by signal {number}{_SIGNAL_HINTS.get(number, '')}: {line or 'no output'}"
    if line is None:
        return f"ended with exit code {exit_code} and wrote nothing"
    return line.removeprefix("error: ") if exit_code in NAMED_EXITS else line


def wait_before(retry: Retry, attempt: int, elapsed: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None when there is none.

    As Argo does it: each wait is `factor` times the one before, and none begins when `within` is over.

    Args:
        retry: The task's policy.
        attempt: Attempts that failed, at least 1.
        elapsed: Seconds since the first began.
    """
    if attempt > retry.limit or elapsed > retry.within:
        return None
    return retry.wait * retry.factor ** (attempt - 1)

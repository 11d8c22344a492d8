"""Running one of our modules in a process of its own, watched."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import components
from components.training.interrupt import EXIT_TERMINATED, listening
from components.training.memory import resident_bytes

_POLL_SECONDS = 0.02
_GRACE_SECONDS = 12.0  # of the 15 that a machine taken back leaves, or the 30 of Kubernetes


class Ended(NamedTuple):
    """How a process ended.

    Attributes:
        status: Its exit status; negative: the signal that ended it.
        errors: What it wrote to standard error, when that was kept.
        peak_bytes: The most memory it was seen to take.
        reason: `time` or `memory` when it was ended for taking too much of it.
    """

    status: int
    errors: str
    peak_bytes: int
    reason: str | None


class _Child(Protocol):
    @property
    def pid(self) -> int | None: ...

    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def run_module(
    module: str, *arguments: str, timeout_seconds: float, limit_bytes: int | None = None,
    keep_errors: bool = False,
) -> Ended:  # fmt: skip
    """Run a module.

    It is a copy of this process where that saves importing TensorFlow once more: when it is imported here
    and has not begun to work (it would have threads then, which a copy has not). Else it is a fresh one.

    Args:
        module: Dotted name of a module with a `__main__` part.
        arguments: Its command line.
        timeout_seconds: When to kill it.
        limit_bytes: With how much memory to kill it.
        keep_errors: Return what it wrote to standard error instead of passing it on to the task's log.

    Raises:
        SystemExit: SIGTERM came; it was passed on, and the module was given time to save its state.
    """
    limits = _Limits(time.monotonic() + timeout_seconds, limit_bytes)
    with tempfile.TemporaryFile("w+") as errors:
        kept = errors.fileno() if keep_errors else None
        if "tensorflow" in sys.modules and len(os.listdir("/proc/self/task")) == 1:
            forking = multiprocessing.get_context("fork")
            copy = forking.Process(target=_run_here, args=(module, arguments, kept))
            copy.start()
            ended = _watch(copy, lambda: copy.exitcode, limits)
            copy.join()
        else:
            command = [sys.executable, "-m", module, *arguments]
            process = subprocess.Popen(  # noqa: S603 - a list of our interpreter, our module and paths; no shell
                command, env=_environment(), stderr=kept
            )
            ended = _watch(process, process.poll, limits)
        errors.seek(0)
        return ended._replace(errors=errors.read())


class _Limits(NamedTuple):
    deadline: float
    bytes: int | None


def _watch(child: _Child, poll: Callable[[], int | None], limits: _Limits) -> Ended:
    peak, reason = 0, None
    with listening() as terminated:
        while (status := poll()) is None:
            peak = max(peak, now := resident_bytes(child.pid or 0))
            if terminated():
                _end(child, poll)
                sys.exit(EXIT_TERMINATED)
            if time.monotonic() > limits.deadline or (limits.bytes and now > limits.bytes):
                reason = "time" if time.monotonic() > limits.deadline else "memory"
                child.kill()
            time.sleep(_POLL_SECONDS)
    return Ended(status, "", peak, reason)


def _end(child: _Child, poll: Callable[[], int | None]) -> None:
    child.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    while poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    child.kill()


def _environment() -> dict[str, str]:
    root = str(Path(components.__path__[0]).parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "PYTHONPATH": path}


def _run_here(module: str, arguments: tuple[Any, ...], errors: int | None) -> None:
    if errors is not None:
        os.dup2(errors, 2)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

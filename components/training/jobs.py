"""What passes between a task and the processes it starts."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import components
from components.common.documents import read_json, write_document


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a trial needs.

    Attributes:
        seed: Of weights and batches.
        hyperparameters: The point, defaults filled in.
        transformed_examples: Folder of the transform.
        transform_graph: Folder of the transform.
        schema: Folder of data validation.
        statistics: Folder of data validation.
        threads: Threads to compute with.
        verification_rows: Raw rows to answer for the check of the export.
        output: Existing folder for `result.json`, `check.json` and `model/`.
    """

    seed: int
    hyperparameters: dict[str, Any]
    transformed_examples: str
    transform_graph: str
    schema: str
    statistics: str
    threads: int
    verification_rows: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """Raw rows and the answers of the trained parts: `check.json`.

    Attributes:
        rows: Values by input; None is missing.
        answers: By row: a number, or one per class.
    """

    rows: dict[str, list[Any]]
    answers: list[Any]


def write_job(file: Path, job: Job) -> None:
    """Write a job for a process to come."""
    write_document(file, job)


def read_result(output: Path) -> dict[str, Any] | None:
    """Return `{metrics, error}` of a trial's output folder, or None when it ended without a word."""
    file = output / "result.json"
    return dict(read_json(file)) if file.exists() else None


def run_module(
    module: str, *arguments: str, timeout_seconds: float, keep_errors: bool = False
) -> tuple[int | None, str]:
    """Run one of our modules in a process of its own.

    It is a copy of this process where that saves importing TensorFlow once more: when it is imported here
    and has not begun to work (it would have threads then, which a copy has not). Else, and with
    `keep_errors`, it is a fresh one.

    Args:
        module: Dotted name of a module with a `__main__` part.
        arguments: Its command line.
        timeout_seconds: When to kill it.
        keep_errors: Return what it wrote to standard error instead of passing it on to the task's log.

    Returns:
        The exit status (negative: the signal that ended it; None: it was killed for its time), and
        standard error or "".
    """
    if not keep_errors and "tensorflow" in sys.modules and len(os.listdir("/proc/self/task")) == 1:
        return _run_copy(module, arguments, timeout_seconds), ""
    root = str(Path(components.__path__[0]).parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            command, env=environment, timeout=timeout_seconds, check=False, text=True,
            stderr=subprocess.PIPE if keep_errors else None,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stderr or ""


def _run_copy(module: str, arguments: tuple[str, ...], timeout_seconds: float) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=_run_here, args=(module, arguments))
    process.start()
    process.join(timeout_seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return None
    return process.exitcode


def _run_here(module: str, arguments: tuple[str, ...]) -> None:
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

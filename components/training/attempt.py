"""Attempting a trial: in a process of its own, once more from its checkpoint when it is killed."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from components.common.errors import UnavailableError
from components.common.task_log import log_line
from components.training.config import TrainingConfig
from components.training.interrupt import EXIT_TERMINATED
from components.training.jobs import Job, read_result, write_job
from components.training.memory import container_limit, in_mib, trial_limit
from components.training.records import TrialRecord
from components.training.run_module import Ended, run_module

_KILLED = (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGKILL, EXIT_TERMINATED)
_OUT_OF_MEMORY = "lower `batch_size`, or give the task more memory"


class Attempt(NamedTuple):
    """What became of a trial, and the wall time that it took."""

    record: TrialRecord
    seconds: float


def attempt_trial(number: int, point: dict[str, Any], job: Job, config: TrainingConfig) -> Attempt:
    """Run a trial; whatever happens to its process is a record.

    Args:
        number: Of the trial.
        point: Its hyperparameters.
        job: What it needs.
        config: How much time and memory it may take.

    Raises:
        UnavailableError: Something outside failed, not the trial: no such accelerator, no checkpoint store.
        SystemExit: SIGTERM came; the trial has had time to write a checkpoint.
    """
    _say(number, str(point))
    file = Path(job.output) / "job.json"
    write_job(file, job)
    start = time.monotonic()
    ended = _run(file, config.trial_timeout_seconds, config)
    if not ended.reason and ended.status in _KILLED:
        _say(number, "its process was killed; it goes on from its newest checkpoint, once")
        ended = _run(file, config.trial_timeout_seconds - (time.monotonic() - start), config)
    record = _record(number, point, ended, job, config)
    _say(number, f"{record.state} {record.metrics or record.error}")
    return Attempt(record, time.monotonic() - start)


def _run(job: Path, timeout_seconds: float, config: TrainingConfig) -> Ended:
    return run_module(
        "components.training.run_trial", str(job), timeout_seconds=timeout_seconds,
        limit_bytes=trial_limit(config.memory_limit_mib),
    )  # fmt: skip


def _record(
    number: int, point: dict[str, Any], ended: Ended, job: Job, config: TrainingConfig
) -> TrialRecord:
    error = _ending(ended, config)
    result = read_result(Path(job.output)) if error is None else None
    if error is None and result is None:
        error = f"its process ended with status {ended.status} and without a result"
    if result is not None and result.error is not None:
        if result.unavailable:
            raise UnavailableError(result.error)
        error = result.error
    if result is not None and result.stopped:
        return TrialRecord(
            number=number, state="stopped", hyperparameters=point, curve=result.curve, error=error
        )
    if result is None or error is not None:
        return TrialRecord(number=number, state="failed", hyperparameters=point, error=error)
    return TrialRecord(
        number=number, state="complete", hyperparameters=point, metrics=result.metrics, curve=result.curve
    )


def _ending(ended: Ended, config: TrainingConfig) -> str | None:
    """Return why a process gave no result, or None when it may have given one."""
    if ended.reason == "time":
        return f"took longer than {config.trial_timeout_seconds:g} seconds and was killed"
    peak = in_mib(ended.peak_bytes)
    limit = in_mib(trial_limit(config.memory_limit_mib))
    if ended.reason == "memory":
        return f"out of memory: peak {peak}, limit {limit} — {_OUT_OF_MEMORY}"
    if ended.status in _KILLED:
        where = f"limit {in_mib(container_limit())}"
        return f"was killed twice, as for want of memory: peak {peak}, {where} — {_OUT_OF_MEMORY}"
    if ended.status < 0:
        return f"its process was ended by signal {-ended.status} (peak of memory {peak})"
    if ended.status > 0:
        return f"its process ended with status {ended.status} and without a result"
    return None


def _say(number: int, what: str) -> None:
    log_line(f"trial {number}: {what}")

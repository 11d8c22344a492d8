"""What a command costs, and all that it starts: `python -m benchmarks.cost REPORT COMMAND… -- [AFTER…]`."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from components.common.errors import UnavailableError

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what outlives its parent becomes our child, a server for one
_SAMPLE_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: Wall time until it ended.
        cpu_seconds: Processor time, user and system, of all processes that it started, a server that it
            leaves running included, and of stopping it.
        peak_mib: Most memory of all of them together, shared pages counted once, sampled twice a second.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def cost_of(command: Sequence[str], *, log: Path, after: Sequence[str] = ()) -> Cost:
    """Run a command and tell what it cost.

    Args:
        command: Program and arguments.
        log: File for what it writes.
        after: A command that ends what it leaves running; not in the seconds.

    Raises:
        UnavailableError: It failed; the end of its log is told.
    """
    with tempfile.NamedTemporaryFile() as report, log.open("wb") as stream:
        whole = [sys.executable, "-m", "benchmarks.cost", report.name, *command, "--", *after]
        variables = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(whole, stdout=stream, stderr=subprocess.STDOUT, env=variables)
        if done.returncode:
            told = log.read_text(errors="replace").strip()[-500:]
            raise UnavailableError("the command failed", where=" ".join(command[:3]), value=told)
        return Cost(**json.loads(Path(report.name).read_text()))


def _measure(report: Path, command: Sequence[str], after: Sequence[str]) -> int:
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
    peaks, ended = [0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(peaks, ended))
    sampler.start()
    started = time.perf_counter()
    status = subprocess.call(command)
    seconds = time.perf_counter() - started
    ended.set()
    sampler.join()
    status = (subprocess.call(after, stdout=subprocess.DEVNULL) if after else 0) or status
    _reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = Cost(seconds=seconds, cpu_seconds=used.ru_utime + used.ru_stime, peak_mib=peaks[0] / 2**20)
    report.write_text(json.dumps(asdict(cost)), encoding="utf-8")
    return status


def _sample(peaks: list[int], ended: threading.Event) -> None:
    me = psutil.Process()
    while not ended.wait(_SAMPLE_SECONDS):
        peaks[0] = max(peaks[0], sum(_share(child.pid) for child in me.children(recursive=True)))


def _share(pid: int) -> int:
    """Return a process's bytes of memory, those it shares in parts; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _reap() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    cut = sys.argv.index("--")
    sys.exit(_measure(Path(sys.argv[1]), sys.argv[2:cut], sys.argv[cut + 1 :]))

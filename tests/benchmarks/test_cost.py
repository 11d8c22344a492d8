"""A command's cost holds what it started, also what outlived it."""

import sys

import pytest

from benchmarks.cost import cost_of
from components.common.errors import UnavailableError

BUSY = "import time\nwhile time.process_time() < 0.6: pass"
LEAVES = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}])"


def test_processor_time_of_what_outlives_the_command_counts(tmp_path):
    cost = cost_of([sys.executable, "-c", LEAVES], log=tmp_path / "log")
    assert cost.cpu_seconds >= 0.6


def test_memory_is_that_of_all_processes(tmp_path):
    hold = "import time; held = bytearray(b'x' * 2**26); time.sleep(3)"
    both = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    cost = cost_of([sys.executable, "-c", both], log=tmp_path / "log")
    assert 64 < cost.peak_mib < 200
    assert cost.seconds >= 3


def test_command_that_fails_is_told_with_the_end_of_its_log(tmp_path):
    with pytest.raises(UnavailableError, match="no such thing"):
        cost_of([sys.executable, "-c", "raise SystemExit('no such thing')"], log=tmp_path / "log")

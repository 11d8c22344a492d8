"""What is started for these tests ends with them, however they end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house import ROOT

pytestmark = pytest.mark.cluster

STARTS = """
import pathlib, signal, sys
from tests.cluster.server import _process

with _process(["sleep", "100"], pathlib.Path(sys.argv[1])) as process:
    print(process.pid, flush=True)
    signal.pause()
"""


def executes(pid):
    """Whether a process still does what it was started for; one that only waits to be reaped does not."""
    try:
        return Path("/proc", pid, "cmdline").read_bytes() == b"sleep\x00100\x00"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_with_tests_that_are_killed(tmp_path, how):
    words = [sys.executable, "-c", STARTS, tmp_path / "log"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tests:
        pid = tests.stdout.readline().decode().strip()
        began = executes(pid)
        tests.send_signal(how)
    assert began
    deadline = time.monotonic() + 10
    while executes(pid):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)

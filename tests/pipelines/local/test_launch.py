import os
import resource
import signal
import sys
import threading
import time

import pytest

from pipelines.local import launch
from pipelines.local.launch import last_line
from pipelines.local.warm.client import Launcher


@pytest.fixture
def execute(tmp_path):
    launcher = Launcher()
    launcher.wait_ready()
    yield lambda *command, **variables: launcher.execute(
        command, cwd=tmp_path, log=tmp_path / "log", environment={**os.environ, **variables}
    )
    launcher.close()


@pytest.fixture
def start(execute):
    return lambda code: execute(sys.executable, "-c", code)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_usage_is_that_of_the_command(start):
    code = (
        "import time; x = bytearray(200 << 20)\nwhile time.process_time() < 0.4: pass\nraise SystemExit(5)"
    )
    usage = start(code).wait()
    assert usage.exit_code == 5
    assert 0.4 <= usage.cpu_seconds < 5
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # a child starts with its parent's
    assert 200 << 20 <= usage.peak_memory_bytes < max(400 << 20, own + 1)


def test_what_a_command_leaves_running_ends_with_it(start, tmp_path):
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    began = time.monotonic()
    assert start(code).wait().exit_code == 0
    assert time.monotonic() - began < 4
    child = int((tmp_path / "log").read_text())
    deadline = time.monotonic() + 3
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_signal_reaches_the_whole_group(start):
    process = start("import subprocess; subprocess.run(['sleep', '60'])")
    threading.Timer(0.3, process.stop, [5]).start()
    assert process.wait().exit_code == -signal.SIGTERM
    process.stop(5)  # too late, and harmless


SLOW_END = """
import signal, subprocess, sys, time

def end(*_):
    time.sleep(0.5)
    print("saved", flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


def test_work_inside_a_shell_that_ends_at_once_keeps_its_time_to_end(execute, tmp_path):
    log = tmp_path / "log"
    process = execute("sh", "-ec", 'python3 -c "$0"; true', SLOW_END)
    while "ready\n" not in log.read_text():
        time.sleep(0.02)
    process.stop(5)
    process.wait()
    assert log.read_text().split() == ["ready", "saved"]


def test_work_that_does_not_end_in_time_is_killed(execute, tmp_path):
    log = tmp_path / "log"
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    process = execute("sh", "-ec", 'python3 -u -c "$0"; true', code)
    while "ready\n" not in log.read_text():
        time.sleep(0.02)
    began = time.monotonic()
    process.stop(0.5)
    process.wait()
    assert 0.5 <= time.monotonic() - began < 3


def test_log_is_cut_and_says_so(start, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "LOG_LIMIT_BYTES", 1000)
    assert start("print('x' * 300_000)").wait().exit_code == 0
    text = (tmp_path / "log").read_text()
    assert text.startswith("x" * 1000 + "\n[log cut here")
    assert len(text) < 1100


def test_last_line_is_the_last_that_says_something(tmp_path):
    log = tmp_path / "log"
    assert last_line(log) is None
    log.write_bytes(b"first\n  error: it \xff is \n\n  \n")
    assert last_line(log) == "error: it \ufffd is"
    log.write_text("\n")
    assert last_line(log) is None


def test_last_line_is_the_tasks_own_and_not_what_the_executor_wrote_ahead_of_it(tmp_path):
    log = tmp_path / "log"
    said = "[KFP Executor 2026-01-01 00:00:00,000 INFO]: "  # as kfp/dsl/executor_main.py writes it
    ahead = f"{said}Looking for component `f`\n{said}Got executor_input:\n" + '{\n    "inputs": {}\n}\n'
    log.write_text(ahead)
    assert last_line(log) is None
    log.write_text(f"{ahead}at half\n")
    assert last_line(log) == "at half"
    log.write_text(ahead + '{\n"a": 1\n}\n')
    assert last_line(log) == "}"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ["no-such-command"],
            "error: command cannot be executed: No such file or directory — got 'no-such",
        ),
        (["true", "x" * (1 << 17)], "error: the inputs are longer than a command may be (128 KiB"),
    ],
)
def test_command_that_cannot_be_executed_ends_as_a_mistake_does(execute, tmp_path, command, said):
    assert execute(*command).wait().exit_code == 2
    assert last_line(tmp_path / "log").startswith(said)


def test_command_is_found_where_its_own_variables_say(execute, tmp_path):
    (tmp_path / "greet").write_text("#!/bin/sh\necho $NAME\n")
    (tmp_path / "greet").chmod(0o755)
    assert execute("greet", PATH=str(tmp_path), NAME="é").wait().exit_code == 0
    assert (tmp_path / "log").read_text() == "é\n"

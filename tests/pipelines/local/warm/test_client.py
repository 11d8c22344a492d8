"""A warm parent, its children, and what becomes of them however one of them ends."""

# ruff: noqa: T201 - doors are one-liners here, in the types that KFP takes

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from pipelines.local import launch
from pipelines.local.warm.client import NotForkedError

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def burn():
    import time

    memory = bytearray(200 << 20)
    while time.process_time() < 0.4:
        memory[0] = 1


@door
def shout():
    print("x" * 300_000)


@door
def leave_running():
    import subprocess

    print("pid", subprocess.Popen(["sleep", "60"]).pid, flush=True)


@door
def linger():
    import os
    import subprocess

    child = subprocess.Popen(["sleep", "60"])
    print("pid", child.pid, os.getpid(), flush=True)
    child.wait()


@door
def save_at_the_end():
    import signal
    import sys
    import time

    def end(*_):
        time.sleep(0.5)
        print("saved", flush=True)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    print("pid", flush=True)
    time.sleep(60)


@door
def deaf():
    import signal
    import time

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("pid", flush=True)
    time.sleep(60)


def pids(log):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        said = (
            [line for line in log.read_text().splitlines() if line.startswith("pid")]
            if log.exists()
            else []
        )
        if said:
            return [int(pid) for pid in said[0].split()[1:]]
        time.sleep(0.02)
    raise AssertionError("the task did not start")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(found, seconds=5):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in found) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in found)


def test_usage_is_that_of_the_child(parent, task):
    usage = task(parent(), burn).wait()
    assert usage.exit_code == 0
    assert 0.4 <= usage.cpu_seconds < 3
    assert 200 << 20 <= usage.peak_memory_bytes < 400 << 20


def test_many_children_at_once_each_have_their_own_end(parent, task):
    warm = parent()
    running = [task(warm, burn, f"task-{i}") for i in range(6)]
    ended = []
    threads = [threading.Thread(target=lambda p=p: ended.append(p.wait().exit_code)) for p in running]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ended == [0] * 6


def test_log_is_cut_and_says_so(parent, task, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "LOG_LIMIT_BYTES", 10_000)
    assert task(parent(), shout).wait().exit_code == 0
    text = (tmp_path / "task.log").read_text()
    assert "[log cut here" in text
    assert len(text) < 10_100


def test_what_a_child_leaves_running_ends_with_it(parent, task, tmp_path):
    began = time.monotonic()
    assert task(parent(), leave_running).wait().exit_code == 0
    assert time.monotonic() - began < 4
    assert gone(pids(tmp_path / "task.log"))


def test_stop_reaches_the_whole_group(parent, task, tmp_path):
    process = task(parent(), linger)
    found = pids(tmp_path / "task.log")
    assert process.pid == found[1]
    process.stop(5)
    assert process.wait().exit_code == 128 + signal.SIGTERM
    assert gone(found)
    process.stop(5)  # too late, and harmless
    process.kill()


def test_child_that_ends_in_its_grace_keeps_it(parent, task, tmp_path):
    process = task(parent(), save_at_the_end)
    pids(tmp_path / "task.log")
    process.stop(5)
    assert process.wait().exit_code == 0
    assert "saved" in (tmp_path / "task.log").read_text()


def test_child_that_does_not_listen_is_killed(parent, task, tmp_path):
    process = task(parent(), deaf)
    pids(tmp_path / "task.log")
    process.stop(0.3)
    threading.Timer(0.5, process.kill).start()
    assert process.wait().exit_code == 128 + signal.SIGKILL


def test_death_of_the_parent_ends_its_child_and_what_that_started(parent, task, tmp_path):
    warm = parent()
    process = task(warm, linger)
    found = pids(tmp_path / "task.log")
    os.kill(warm.pid, signal.SIGKILL)
    assert process.wait().exit_code == -signal.SIGKILL
    assert gone(found)
    with pytest.raises(NotForkedError):
        task(warm, burn, "next")


RUNNER = """
import json, os, sys, threading
from pathlib import Path
from pipelines.local.warm.client import WarmParent
from pipelines.local.warm.command import as_lightweight

command, environment, cwd, log, modules = json.loads(sys.argv[1])
warm = WarmParent(environment, modules)
print(warm.pid, flush=True)
warm.wait_ready()
task = as_lightweight(command, environment)
warm.fork(task, cwd=Path(cwd), log=Path(log), environment=environment).wait()
"""


def start_runner(variables, tmp_path, modules):
    import json

    container = linger.component_spec.implementation.container
    given = {"inputs": {}, "outputs": {"outputFile": str(tmp_path / "out.json")}}
    command = [*container.command, "--executor_input", json.dumps(given), "--function_to_execute", "linger"]
    environment = {**variables, "TMPDIR": str(tmp_path)}
    arguments = json.dumps([command, environment, str(tmp_path), str(tmp_path / "task.log"), modules])
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, arguments], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_death_of_the_runner_ends_everything(variables, tmp_path):
    runner = start_runner(variables, tmp_path, ["kfp.dsl.executor"])
    with runner.stdout:
        warm = int(runner.stdout.readline())
        found = [warm, *pids(tmp_path / "task.log")]
        runner.kill()
        runner.wait()
    assert len(found) == 3
    assert gone(found)


def test_death_of_the_runner_ends_a_parent_that_is_still_importing(variables, tmp_path):
    (tmp_path / "takes_long.py").write_text("import time; time.sleep(60)")
    runner = start_runner(variables, tmp_path, ["takes_long"])
    with runner.stdout:
        warm = int(runner.stdout.readline())
        time.sleep(0.5)
        assert alive(warm)
        runner.kill()
        runner.wait()
    assert gone([warm])


def test_parent_with_a_second_thread_refuses_to_fork(parent, tmp_path):
    (tmp_path / "starts_a_thread.py").write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    with pytest.raises(NotForkedError, match="2 threads"):
        parent("starts_a_thread")


def test_parent_that_cannot_import_says_why(parent):
    with pytest.raises(NotForkedError, match="No module named 'no_such_module'"):
        parent("no_such_module")


def test_parent_serves_only_tasks_with_its_own_variables(parent, variables):
    warm = parent()
    assert warm.serves({**variables, "TMPDIR": "/elsewhere"})
    assert not warm.serves({**variables, "OMP_NUM_THREADS": "3"})
    assert not warm.serves({key: value for key, value in variables.items() if key != "PATH"})


def test_closing_ends_a_parent_that_is_still_importing(variables, tmp_path):
    from pipelines.local.warm.client import WarmParent

    (tmp_path / "takes_long.py").write_text("import time; time.sleep(60)")
    warm = WarmParent(variables, ["takes_long"])
    began = time.monotonic()
    warm.close()
    assert time.monotonic() - began < 2
    assert gone([warm.pid])

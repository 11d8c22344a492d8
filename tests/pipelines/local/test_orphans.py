"""However a run ends, nothing that its tasks started goes on, and its temporary folder goes."""

# ruff: noqa: T201 - doors are one-liners here, in the types that KFP takes

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from pipelines.local.runner import run_package
from pipelines.local.scratch import Scratch

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)

RUNNER = """
import sys
from pathlib import Path
from pipelines.local.runner import run_package
run_package(Path(sys.argv[1]), {}, root=Path(sys.argv[2]), fresh=sys.argv[3] == "fresh")
"""


@door
def spawn():
    """Start a child, a grandchild, and one that leaves the group and the session, all deaf to hints."""
    import os
    import signal
    import subprocess
    import tempfile
    import time

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    grandchild = subprocess.Popen(["sh", "-c", "sleep 100 & echo pids $! $$; wait"])
    escaped = subprocess.Popen(["sleep", "100"], start_new_session=True)
    os.write(1, f"pids {os.getpid()} {grandchild.pid} {escaped.pid}\n".encode())  # whole, beside the echo
    print("folder", tempfile.gettempdir(), flush=True)
    time.sleep(100)


@door
def leave():
    import subprocess

    print("pids", subprocess.Popen(["sleep", "100"], start_new_session=True).pid, flush=True)


@dsl.pipeline(name="spawning")
def spawning():
    spawn()


@dsl.pipeline(name="leaving")
def leaving():
    leave()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def said(root, word: str, times: int) -> list[str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = [line for log in root.glob("*/*/logs/*.log") for line in log.read_text().splitlines()]
        found = [line.split()[1:] for line in lines if line.startswith(word)]
        if len(found) == times:
            return [one for many in found for one in many]
        time.sleep(0.05)
    raise AssertionError("the task did not start")


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pids) -> bool:
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.parametrize("how", ["fresh", "forked"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_killed_runner_leaves_no_process(package, root, temporary, how, number):
    command = [sys.executable, "-c", RUNNER, str(package(spawning)), str(root), how]
    runner = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])})
    try:
        pids = [*said(root, "pids", 2), *map(str, children(runner.pid))]
        assert len(set(pids)) >= 5 + (how == "forked")
        assert all(map(alive, pids))
    finally:
        runner.send_signal(number)
        runner.wait()
    assert gone(pids)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.mark.parametrize("fresh", [True, False])
def test_what_leaves_its_group_ends_with_the_run(package, root, fresh):
    assert run_package(package(leaving), {}, root=root, fresh=fresh).state == "SUCCEEDED"
    assert gone(said(root, "pids", 1))


def test_folder_of_a_killed_run_is_removed_by_the_next_and_that_of_a_living_one_is_not(
    package, root, temporary
):
    living = Scratch()
    command = [sys.executable, "-c", RUNNER, str(package(spawning)), str(root), "fresh"]
    runner = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])})
    (left,) = map(Path, said(root, "folder", 1))
    runner.kill()
    runner.wait()
    assert left.is_relative_to(temporary)
    assert left.parent.is_dir()
    assert run_package(package(leaving), {}, root=root).state == "SUCCEEDED"
    assert [one for one in temporary.iterdir() if one.name.startswith("millrace")] == [living.folder]
    living.close()
    assert not living.folder.exists()

"""A run that is told to stop stops everything it started and says so in its records."""

# ruff: noqa: T201 - doors are one-liners here, in the types that KFP takes

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl
from ml_metadata.proto import metadata_store_pb2 as pb

from pipelines.local.store import STORE_NAME, Store

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)

RUNNER = """
import sys
from pathlib import Path
from pipelines.local.runner import run_package

def tell(event):
    print(getattr(event, "task", ""), getattr(event, "kind", ""), flush=True)

result = run_package(Path(sys.argv[1]), {}, root=Path(sys.argv[2]), on_event=tell)
raise SystemExit(result.exit_code)
"""


@door
def linger(mark: str):
    import os
    import subprocess
    import sys

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    print("pids", os.getpid(), child.pid, flush=True)
    child.wait()


@door
def deaf():
    import os
    import signal
    import time

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("pids", os.getpid(), flush=True)
    time.sleep(100)


@door
def after():
    pass


@dsl.pipeline(name="lingering")
def lingering():
    first = linger(mark="a").set_display_name("first")
    linger(mark="b").set_display_name("second")
    after().after(first)


@dsl.pipeline(name="deafness")
def deafness():
    deaf()


@pytest.fixture
def runner(package, root):
    started = []

    def start(pipeline):
        command = [sys.executable, "-c", RUNNER, str(package(pipeline)), str(root)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def pids_in_logs(root, logs):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = [line for log in root.glob("*/*/logs/*.log") for line in log.read_text().splitlines()]
        found = [line.split()[1:] for line in lines if line.startswith("pids ")]
        if len(found) == logs:
            return [int(pid) for pids in found for pid in pids]
        time.sleep(0.05)
    raise AssertionError("the tasks did not start")


def gone(pids):
    deadline = time.monotonic() + 3
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_all_tasks_and_is_recorded_everywhere(runner, root, number):
    process = runner(lingering)
    pids = pids_in_logs(root, 2)
    process.send_signal(number)
    assert process.wait(timeout=8) == 130
    assert len(pids) == 4
    assert gone(pids)

    record = json.loads(next(root.glob("lingering/*/run.json")).read_text())
    assert record["state"] == "CANCELLED"
    assert record["error"] == f"cancelled by {number.name}"
    states = {task["name"]: task["state"] for task in record["tasks"]}
    assert (states["first"], states["second"]) == ("CANCELLED", "CANCELLED")

    store = Store(root / STORE_NAME)
    assert {found.last_known_state for found in store.call("get_executions")} == {pb.Execution.CANCELED}
    assert store.call("get_artifacts") == []


def test_second_signal_ends_a_task_that_does_not_listen(runner, root):
    process = runner(deafness)
    pids = pids_in_logs(root, 1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    assert Path(f"/proc/{pids[0]}").exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
    assert gone(pids)

"""A run is known by what its process does, not by what it wrote last."""

import json
import re
import signal
import subprocess
import sys
from functools import partial

import pytest
from kfp import dsl

from components.common.errors import UnavailableError
from pipelines.local.claim import no_run
from pipelines.local.history import list_runs

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)

RUNNER = """
import sys
from pathlib import Path
from pipelines.local.runner import run_package
run_package(
    Path(sys.argv[1]), {}, root=Path(sys.argv[2]),
    on_event=lambda e: print(getattr(e, "task", ""), getattr(e, "kind", ""), flush=True),
)
"""


@door
def sleep() -> int:
    import os
    import time

    print("pid", os.getpid(), flush=True)  # noqa: T201 - the test reads it
    time.sleep(60)
    return 1


@dsl.pipeline(name="sleeping")
def sleeping():
    sleep()


def test_run_whose_process_was_killed_is_not_called_running(package, root):
    command = [sys.executable, "-c", RUNNER, str(package(sleeping)), str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while "started" not in process.stdout.readline():
        pass
    (record,) = list_runs(root)
    assert record["state"] == "RUNNING"
    with pytest.raises(UnavailableError, match="a run is under way"), no_run(root):
        pass
    log = next(root.glob("sleeping/*/logs")) / "sleep.log"
    while not (log.exists() and re.search(r"^pid \d+$", log.read_text(), re.MULTILINE)):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (record,) = list_runs(root)
    assert record["state"] == "KILLED"
    assert json.loads((root / "sleeping" / record["run_id"] / "run.json").read_text())["state"] == "RUNNING"
    with no_run(root):
        pass

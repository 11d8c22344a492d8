"""A task of deployment in a process of its own, which is killed at a chosen call, or meets another one.

`start` and `run` are for tests; the process reads what to do, as JSON, from its only argument.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from components.common.errors import named_exit
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget
from components.deployment.roll_back import promote_model, roll_back_model
from pipelines.local.serving import client

ROOT = Path(__file__).parents[3]
STEPS = {
    "target": "local", "steps": [50, 100], "interval_seconds": 0.5, "min_requests": 20,
    "max_latency_ratio": 50, "max_prediction_shift": 1,
}  # fmt: skip
CONFIG = DeployConfig(**STEPS)


def start(work, name, out, **plan):
    """Start a task.

    Args:
        work: `release`, `promote`, `roll_back` or `stop`.
        name: Model name.
        out: Folder of the endpoint, or, to stop, of runs.
        plan: `model` to release; `options` of `DeployConfig`, `STEPS` if unset; `revision` to roll back to;
            `kill`: a call, which one of them, and `before`, `during` (it was sent, and not answered) or
            `after`; `meet`: a folder where it waits for another before its claim.
    """
    plan = {"work": work, "name": name, "out": str(out), **plan}
    command = [sys.executable, __file__, json.dumps(plan, default=str)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(work, name, out, **plan):
    """Run a task to its end; returns its exit code and what it wrote."""
    process = start(work, name, out, **plan)
    told, _ = process.communicate()
    return process.returncode, told


def _die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_at(call, number, moment):
    """Wrap what asks the supervisor so that its n-th call, from 1 on, kills this process."""
    owner = client if call == "call_control" else LocalTarget
    original, seen = getattr(owner, call), []

    def wrapped(*given, **named):
        seen.append(call)
        is_it = len(seen) == number
        if is_it and moment == "before":
            _die()
        if is_it and moment == "during":
            http.client.HTTPConnection.getresponse = _die
        found = original(*given, **named)
        if is_it:
            _die()
        return found

    setattr(owner, call, wrapped)


def _meet_at(folder):
    original = LocalTarget.claim

    def wrapped(*given):
        Path(folder, str(os.getpid())).touch()
        while len(os.listdir(folder)) < 2:
            time.sleep(0.001)
        return original(*given)

    LocalTarget.claim = wrapped


def _work(work, name, out, model=None, options=STEPS, revision=None):
    config = DeployConfig(**options)
    if work == "release":
        deploy(Path(model), Path(model), Path(out), model_name=name, config=config)
    elif work == "promote":
        promote_model(Path(out), model_name=name, config=config)
    elif work == "roll_back":
        roll_back_model(Path(out), model_name=name, revision=revision, config=config)
    elif work == "stop":
        client.find_supervisor(Path(out)).stop(name)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    if "kill" in asked:
        _kill_at(*asked.pop("kill"))
    if "meet" in asked:
        _meet_at(asked.pop("meet"))
    with named_exit():
        _work(**asked)

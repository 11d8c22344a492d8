"""Warm parents of this very environment, and the commands that KFP writes for small doors."""

import json
import os
import sys
from pathlib import Path

import pytest

from pipelines.local.environments import SOURCE_ROOT, declarations
from pipelines.local.placeholders import fill
from pipelines.local.warm.client import Launcher, WarmParent
from pipelines.local.warm.command import as_lightweight


@pytest.fixture
def variables(tmp_path):
    bin_folder = Path(sys.prefix) / "bin"
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{SOURCE_ROOT}", "TMPDIR": "",
    }  # fmt: skip


@pytest.fixture
def parent(variables):
    started = []

    def start(*modules):
        begun = WarmParent(variables, [*declarations()["everywhere"], *modules])
        started.append(begun)
        begun.wait_ready()
        return begun

    yield start
    for begun in started:
        begun.close()


@pytest.fixture
def launcher():
    found = Launcher()
    found.wait_ready()
    yield found
    found.close()


@pytest.fixture
def task(tmp_path, variables, launcher):
    """Start a door's command, from a parent or (None) fresh; its log is `<name>.log`."""

    def start(parent, door, name="task"):
        cwd, temporary = tmp_path / name, tmp_path / f"{name}-tmp"
        cwd.mkdir()
        temporary.mkdir()
        given = {
            "inputs": {"parameterValues": {}, "artifacts": {}},
            "outputs": {
                "parameters": {"Output": {"outputFile": str(cwd / "Output")}}, "artifacts": {},
                "outputFile": str(cwd / "executor_output.json"),
            },
        }  # fmt: skip
        container = door.component_spec.implementation.container
        command = [fill(part, given, name) for part in [*container.command, *container.args]]
        environment = {**variables, "TMPDIR": str(temporary)}
        how = {"cwd": cwd, "log": tmp_path / f"{name}.log", "environment": environment}
        if parent is None:
            return launcher.execute(command, **how)
        return parent.fork(as_lightweight(command, environment), **how)

    return start


@pytest.fixture
def answer(tmp_path, task):
    """Execute a door that returns a mapping, and return it."""

    def execute(parent, door, name="task"):
        assert task(parent, door, name).wait().exit_code == 0, (tmp_path / f"{name}.log").read_text()
        return json.loads((tmp_path / name / "executor_output.json").read_text())["parameterValues"][
            "Output"
        ]

    return execute

"""What `millrace run` takes: any package, an earlier run with changes, and an end that can be acted on."""

# ruff: noqa: T201 - tasks speak by printing

import json
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from kfp import compiler, dsl

from components.common.errors import BadInputError
from pipelines.local import run
from pipelines.local.events import RunStarted
from tests.typed import MILLRACE

ROOT = Path(__file__).parents[2]
door = partial(dsl.component, install_kfp_package=False)


@door(base_image="python:3.11")
def add(a: int, b: int) -> int:
    return a + b


@door(base_image="python:3.11")
def check(total: int, settings: dict) -> str:
    import sys

    if total > settings["most"]:
        print("error: the total is too large", file=sys.stderr)
        raise SystemExit(2)
    return "fine"


@dsl.pipeline(name="sums")
def sums(a: int, b: int = 2, settings: dict = {"most": 10, "least": 0}):  # noqa: B006 - as KFP takes it
    check(total=add(a=a, b=b).output, settings=settings)


@pytest.fixture
def home(tmp_path):
    """A folder with a foreign package and a build file that says what stands in for its image."""
    compiler.Compiler().compile(sums, str(tmp_path / "sums.yaml"))
    (tmp_path / "build.yaml").write_text(f"images: {{python:3.11: {ROOT / '.venv'}}}\n")
    return tmp_path


def millrace(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MILLRACE, *arguments], capture_output=True, text=True, timeout=100, cwd=home,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def ran(home: Path, *arguments: str) -> dict:
    return json.loads(millrace(home, "run", *arguments, "--json").stdout)


def test_foreign_package_runs_in_the_environment_that_the_build_file_names(home):
    found = ran(home, "sums.yaml", "-p", "a=3", "--build", "build.yaml")
    assert found["state"] == "SUCCEEDED"
    assert found["outputs"] == {"add": {"Output": 5}, "check": {"Output": "fine"}}
    assert not (home / "runs" / "serving").exists()


def test_run_is_repeated_with_changes(home):
    first = ran(home, "sums.yaml", "-p", "a=3", "--build", "build.yaml")
    change = ["-p", "b=4", "-p", "settings.most=6"]
    again = ran(home, "--from", first["run_id"], *change, "--build", "build.yaml")
    record = json.loads((Path(again["directory"]) / "run.json").read_text())
    assert record["parameters"] == {"a": 3, "b": 4, "settings": {"most": 6, "least": 0}}
    assert again["state"] == "FAILED"
    assert record["package_digest"] == json.loads(
        (Path(first["directory"]) / "run.json").read_text()
    )["package_digest"]  # fmt: skip


def test_failure_ends_with_the_task_its_log_and_a_command_that_repeats_it(home):
    ended = millrace(home, "run", "sums.yaml", "-p", "a=30", "--build", "build.yaml", "--root", "my runs")
    assert ended.returncode == 2
    lines = [line.split(maxsplit=1) for line in ended.stderr.splitlines() if line.strip()]
    told = {words[0]: words[1] for words in lines if len(words) == 2}
    assert told["error:"] == "check: the total is too large"
    assert told["task"] == "check"
    assert "error: the total is too large" in Path(told["log"]).read_text()
    program, *words = shlex.split(told["repeat"])
    assert program == "millrace"
    again = millrace(home, *words)
    assert again.returncode == 2, again.stderr
    assert "= add" in again.stderr  # from the cache
    assert "✗ check" in again.stderr
    mended = millrace(home, *words, "-p", "settings.most=100")
    assert mended.returncode == 0, mended.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["sums.yaml", "-p", "a=1"], "no environment stands in for this image"),
        (["gone.yaml"], "package is missing"),
        ([], "nothing to run"),
        (["--from", "20200101-000000-abcdef"], "no such run"),
        (["sums.yaml", "-p", "a=1", "--build", "other.yaml"], "no virtual environment"),
        (["sums.yaml", "-p", "a=1", "--build", "misspelt.yaml"], "did you mean `python:3.11`"),
        (["sums.yaml", "-p", "a=1", "--build", "parallel.yaml"], "is fixed in a package"),
    ],
)
def test_what_cannot_run_is_said_before_anything_is_made(home, arguments, problem):
    (home / "other.yaml").write_text("images: {python:3.11: nowhere}\n")
    (home / "misspelt.yaml").write_text(f"images: {{python:3.1: {ROOT / '.venv'}}}\n")
    (home / "parallel.yaml").write_text("parallelism: 3\n")
    ended = millrace(home, "run", *arguments)
    assert ended.returncode == 2
    assert problem in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (home / "runs").exists()


def test_python_takes_and_gives_what_the_command_does(home, monkeypatch):
    monkeypatch.chdir(home)
    events = []
    first = run("sums.yaml", {"a": 3}, build=Path("build.yaml"), on_event=events.append)
    assert (first.state, first.exit_code, first.outputs["add"]["Output"]) == ("SUCCEEDED", 0, 5)
    assert isinstance(events[0], RunStarted)
    assert (first.directory / "report.html").exists()
    again = run(from_run=first.run_id, parameters={"a": 4}, build=Path("build.yaml"), fresh=True)
    assert again.outputs["add"]["Output"] == 6
    with pytest.raises(BadInputError, match="did you mean `training`"):
        run("trainin")
    assert {task.name: task.state for task in again.tasks} == {"add": "SUCCEEDED", "check": "SUCCEEDED"}
    assert ran(home, "--from", first.run_id, "--build", "build.yaml")["outputs"] == first.outputs


def test_the_package_is_light_and_its_function_is_not_hidden_by_a_module():
    code = (
        "import sys; from pipelines.local import run; assert 'yaml' not in sys.modules; "
        "import pipelines.local.runner, pipelines.execution; from pipelines import local; "
        "assert local.run is run"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

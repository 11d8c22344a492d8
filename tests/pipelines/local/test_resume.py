"""A run that did not end well is gone on with: what had finished stays, and nothing is told twice."""

# ruff: noqa: SIM115 - doors are one-liners here, in the types that KFP takes

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from components.common.errors import BadInputError, UnavailableError
from pipelines.ending import failure_lines
from pipelines.local import run as run_again
from pipelines.local.claim import Claim
from pipelines.local.store import STORE_NAME, Store, protos
from pipelines.request import Request

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def note(place: str, text: str) -> str:
    """Leave a line, so that the test sees how often it was executed."""
    open(place, "a").write(text + "\n")
    return text


@door
def needs(place: str, text: str, switch: str):
    import os

    open(place, "a").write(text + "\n")
    if not os.path.exists(switch):
        raise SystemExit(text + " wants its switch")


@door
def names() -> list[str]:
    return ["a", "b", "c"]


@door
def gather(place: str, texts: list[str]) -> str:
    open(place, "a").write("gather\n")
    return " ".join(texts)


@door
def farewell(place: str, status: dsl.PipelineTaskFinalStatus):
    open(place, "a").write(f"exit {status.state}\n")


@dsl.pipeline(name="branching")
def branching(place: str, switch: str):
    bye = farewell(place=place)
    with dsl.ExitHandler(bye):
        first = note(place=place, text="first").set_caching_options(False)
        with dsl.If(first.output == "first"):
            note(place=place, text="yes").set_caching_options(False)
        with dsl.If(first.output != "first"):
            note(place=place, text="no")
        with dsl.ParallelFor(names().set_caching_options(False).output) as item:
            said = note(place=place, text=item).set_caching_options(False)
        second = needs(place=place, text="second", switch=switch).after(first)
        gather(place=place, texts=dsl.Collected(said.output)).after(second).set_caching_options(False)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "lines"


@pytest.fixture
def switch(tmp_path):
    return tmp_path / "switch"


def counts(root):
    store = Store(root / STORE_NAME)
    kinds = {found.id: found.name for found in store.call("get_execution_types")}
    states = protos().Execution.State
    told = sorted(
        (
            kinds[one.type_id],
            one.custom_properties["task_name"].string_value,
            states.Name(one.last_known_state),
        )
        for one in store.call("get_executions")
    )
    return told, len(store.call("get_artifacts")), len(store.call("get_contexts"))


def lines(place):
    return sorted(place.read_text().split("\n")[:-1])


def test_failed_run_goes_on_where_it_failed(run, root, place, switch):
    failed = run(branching, place=str(place), switch=str(switch))
    assert failed.state == "FAILED"
    before = lines(place)
    assert before == sorted(["first", "yes", "a", "b", "c", "second", "exit FAILED"])
    switch.touch()
    resumed = run_again(resume=failed.run_id, root=root)
    assert (resumed.state, resumed.run_id, resumed.directory) == (
        "SUCCEEDED",
        failed.run_id,
        failed.directory,
    )
    assert resumed.outputs["gather"] == {"Output": "a b c"}
    # what had finished is not executed again, whether it may be cached or not; the exit task is
    assert lines(place) == sorted([*before, "second", "gather", "exit COMPLETE"])
    assert resumed.seconds > failed.seconds


def test_resumed_run_is_recorded_as_one_that_never_stopped(run, root, place, switch):
    failed = run(branching, place=str(place), switch=str(switch))
    switch.touch()
    run_again(resume=True, root=root)
    told, artifacts, contexts = counts(root)
    clean_root = root.with_name("clean")
    run_again(
        failed.directory / "package.yaml", {"place": str(place), "switch": str(switch)}, root=clean_root
    )
    expected, *rest = counts(clean_root)
    # the exit task was executed twice, told two endings, and so is there twice
    again = ("system.ContainerExecution", "farewell", "COMPLETE")
    assert told == sorted([*expected, again])
    assert [artifacts, contexts] == rest


def test_run_that_has_succeeded_is_left_as_it_is(run, root, place, switch):
    switch.touch()
    done = run(branching, place=str(place), switch=str(switch))
    record = (done.directory / "run.json").read_bytes()
    said = []
    again = run_again(resume=done.run_id, root=root, on_event=said.append)
    assert (again.state, again.exit_code, again.outputs) == ("SUCCEEDED", 0, done.outputs)
    assert [event.message for event in said] == [f"run {done.run_id} has succeeded: nothing is left to do"]
    assert (done.directory / "run.json").read_bytes() == record


def test_what_cannot_be_resumed_is_named(run, root, place, switch):
    with pytest.raises(BadInputError, match="no run was killed, was cancelled or failed"):
        run_again(resume=True, root=root)
    failed = run(branching, place=str(place), switch=str(switch))
    with pytest.raises(BadInputError, match=f"no such run .*did you mean `{failed.run_id}`"):
        run_again(resume=failed.run_id[:-1] + "x", root=root)
    with pytest.raises(BadInputError, match="goes on with its own package and parameters"):
        run_again("training", resume=failed.run_id, root=root)
    claim = Claim(root, failed.directory)
    with pytest.raises(UnavailableError, match="the run is under way"):
        run_again(resume=failed.run_id, root=root)
    claim.release()
    package = failed.directory / "package.yaml"
    package.write_text(package.read_text() + "\n")
    with pytest.raises(BadInputError, match="package was changed since the run began"):
        run_again(resume=failed.run_id, root=root)
    record = failed.directory / "run.json"
    for text, what in (('{"run_id": ', "not readable as JSON"), ("{}", "record has no `run_id`")):
        record.write_text(text)
        with pytest.raises(BadInputError, match=what):
            run_again(resume=failed.run_id, root=root)


def test_last_lines_of_a_failed_run_name_the_command_that_goes_on_with_it(run, root, place, switch):
    failed = run(branching, place=str(place), switch=str(switch))
    record = json.loads((failed.directory / "run.json").read_text())
    request = Request(pipeline="branching.yaml", build=Path("build.yaml"), root=root)
    told = dict(failure_lines(record, request))
    assert told["task"] == "needs"
    words = told["resume"].split(maxsplit=1)[1]
    assert words == f"run --resume {failed.run_id} --build build.yaml --root {root}"
    switch.touch()
    command = [sys.executable, "-m", "pipelines.cli", "run", "--resume", failed.run_id, "--root", str(root)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "SUCCEEDED")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert f"run {failed.run_id} has succeeded: nothing is left to do" in done.stderr
    done = subprocess.run([*command[:5], "--root", str(root)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no run was killed, was cancelled or failed")

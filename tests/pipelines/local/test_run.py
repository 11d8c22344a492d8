"""Whole runs of small pipelines, with KFP's own executor in each task."""

# ruff: noqa: SIM115, T201, UP045 - doors are one-liners here, in the types that KFP takes

import json
from functools import partial
from typing import Optional

import pytest
from kfp import dsl

from pipelines.local.events import RunFinished, RunStarted, TaskChanged

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def nap(seconds: float, after: bool = True) -> dict[str, float]:
    import time

    began = time.time()
    time.sleep(seconds)
    return {"began": began, "ended": time.time()}


@door
def numbers(count: int) -> list[dict]:
    return [{"n": i} for i in range(count)]


@door
def square(
    item: dict, model: dsl.Output[dsl.Model], metrics: dsl.Output[dsl.Metrics], text: Optional[str] = None
) -> int:
    import os

    os.makedirs(model.path)
    open(model.path + "/n", "w").write(f"{item['n']} {text}")
    model.metadata["n"] = item["n"]
    metrics.log_metric("n", float(item["n"]))
    return int(item["n"]) ** 2


@door
def gather(models: dsl.Input[list[dsl.Model]], squares: list[int]) -> str:
    models = models or []  # KFP's executor gives None for an empty list of artifacts
    read = [open(model.path + "/n").read() for model in models]
    return f"{read} {[model.metadata['n'] for model in models]} {squares}"


@door
def write(data: dsl.Output[dsl.Dataset], text: str = "some"):
    open(data.path, "w").write(text)


@door
def read(data: dsl.Input[dsl.Dataset]) -> str:
    return open(data.path).read()


@door
def point(uri: str, model: dsl.Output[dsl.Model]):
    model.uri = uri
    model.metadata["found"] = "yes"


@door
def look(model: dsl.Input[dsl.Model]) -> str:
    return open(model.path + "/weights").read() + model.metadata["found"]


@door
def judge(verdict: bool) -> bool:
    return verdict


@door
def leave(code: int, line: str):
    import sys

    print("working")
    sys.stderr.write(f"error: {line}\n\n")
    raise SystemExit(code)


@door
def crash():
    raise ValueError("no such thing")


@door
def nothing(data: dsl.Output[dsl.Dataset]):
    pass


@door
def show():
    import os
    import tempfile

    for name in ("EXTRA", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONUNBUFFERED", "TF_CPP_MIN_LOG_LEVEL"):
        print(f"{name}={os.environ.get(name)}")
    print(f"bytecode={'PYTHONDONTWRITEBYTECODE' in os.environ}")
    print(f"cwd={os.getcwd()}")
    print(f"tmp={tempfile.gettempdir()}")


@dsl.pipeline(name="search")
def search(count: int = 3, text: Optional[str] = None):
    found = numbers(count=count)
    with dsl.ParallelFor(found.output, parallelism=2, name="trials") as item:
        squared = square(item=item, text=text)
    gather(models=dsl.Collected(squared.outputs["model"]), squares=dsl.Collected(squared.outputs["Output"]))


def task(result, name):
    return next(found for found in result.tasks if found.name == name)


def times(result, name):
    return result.outputs[name]["Output"]


def test_independent_tasks_overlap_and_dependent_ones_do_not(run):
    @dsl.pipeline(name="order")
    def order():
        first = nap(seconds=0.8).set_display_name("first")
        nap(seconds=0.8).set_display_name("second")
        nap(seconds=0.1).set_display_name("third").after(first)

    result = run(order)
    first, second, third = (times(result, name) for name in ("first", "second", "third"))
    assert second["began"] < first["ended"]
    assert first["began"] < second["ended"]
    assert third["began"] >= first["ended"]


def test_loop_gives_lists_in_the_order_of_its_items(run):
    events = []
    result = run(search, events=events)
    read_back = "['0 None', '1 None', '2 None'] [0, 1, 2] [0, 1, 4]"
    assert result.outputs["gather"]["Output"] == read_back
    assert result.outputs["square"]["Output"] == [0, 1, 4]
    assert [model["metadata"] for model in result.outputs["square"]["model"]] == [
        {"n": n} for n in range(3)
    ]
    assert result.outputs["square"]["metrics"][2]["digest"] == ""
    assert {found.name for found in result.tasks} == {
        "numbers", "square-0", "square-1", "square-2", "gather",
    }  # fmt: skip
    assert isinstance(events[0], RunStarted)
    assert events[0].tasks == ("numbers", "square", "gather")
    assert isinstance(events[-1], RunFinished)


def test_no_more_iterations_run_at_once_than_the_loop_allows(run):
    @dsl.pipeline(name="narrow")
    def narrow():
        with dsl.ParallelFor(numbers(count=3).output, parallelism=1) as item:
            named = judge(verdict=True)
            square(item=item).after(named)

    events = []
    run(narrow, events=events, use_cache=False)
    open_now, most = set(), 0
    for event in (event for event in events if isinstance(event, TaskChanged)):
        index = event.task.rpartition("-")[2]
        if index.isdigit() and event.kind == "started":
            open_now.add(index)
        most = max(most, len(open_now))
        if event.task.startswith("square") and event.kind == "succeeded":
            open_now.discard(index)
    assert most == 1


def test_loop_over_an_empty_list_collects_empty_lists(run):
    result = run(search, count=0)
    assert result.state == "SUCCEEDED"
    assert result.outputs["gather"]["Output"] == "[] [] []"


def test_optional_parameter_reaches_the_task_only_when_set(run):
    assert "0 None" in run(search, count=1).outputs["gather"]["Output"]
    assert "0 here" in run(search, count=1, text="here").outputs["gather"]["Output"]


def test_boolean_output_is_the_verdict(run):
    @dsl.pipeline(name="verdicts")
    def verdicts():
        judge(verdict=True).set_display_name("good")
        judge(verdict=False).set_display_name("bad")

    result = run(verdicts)
    assert (task(result, "good").verdict, task(result, "bad").verdict) == (True, False)


@pytest.mark.parametrize(
    ("code", "state", "exit_code"),
    [(2, "FAILED", 2), (3, "REFUSED", 3), (4, "FAILED", 4), (1, "FAILED", 1), (7, "FAILED", 1)],
)
def test_exit_code_of_a_task_decides_how_the_run_ends(run, code, state, exit_code):
    @dsl.pipeline(name="ending")
    def ending(code: int):
        write().after(leave(code=code, line="it is so"))

    result = run(ending, code=code)
    assert (result.state, result.exit_code) == (state, exit_code)
    message = "it is so" if code in (2, 3, 4) else "error: it is so"
    assert task(result, "leave").message == message
    assert result.error == f"leave: {message}"
    assert task(result, "write").state == "SKIPPED"
    record = json.loads((result.directory / "run.json").read_text())
    assert record["state"] == state
    assert record["error"] == result.error


def test_exception_line_is_the_message_of_a_crash(run):
    @dsl.pipeline(name="crashing")
    def crashing():
        crash()

    result = run(crashing)
    assert (result.state, result.exit_code) == ("FAILED", 1)
    assert task(result, "crash").message == "ValueError: no such thing"
    assert "Traceback" in (result.directory / "logs" / "crash.log").read_text()


def test_failure_lets_running_tasks_finish_and_starts_nothing_downstream(run):
    @dsl.pipeline(name="halfway")
    def halfway():
        failed = leave(code=2, line="no")
        slow = nap(seconds=0.6)
        judge(verdict=True).after(slow, failed)

    result = run(halfway)
    assert [task(result, name).state for name in ("leave", "nap", "judge")] == [
        "FAILED", "SUCCEEDED", "SKIPPED",
    ]  # fmt: skip


def test_failed_iteration_fails_the_loop_and_starts_no_further_one(run):
    @dsl.pipeline(name="unlucky")
    def unlucky():
        with dsl.ParallelFor(numbers(count=3).output, parallelism=1) as item:
            squared = square(item=item)
            bad = leave(code=2, line="no").after(squared)
        judge(verdict=True).after(bad)

    result = run(unlucky)
    states = {found.name: found.state for found in result.tasks}
    assert states["leave-0"] == "FAILED"
    assert {states[name] for name in ("square-1", "leave-1", "square-2", "leave-2", "judge")} == {"SKIPPED"}
    assert result.outputs["square"]["Output"] == [0]


def test_task_that_writes_no_artifact_fails_and_the_port_is_named(run):
    @dsl.pipeline(name="hollow")
    def hollow():
        nothing()

    result = run(hollow)
    assert (result.state, result.exit_code) == ("FAILED", 1)
    assert "output `data` of task `nothing`" in task(result, "nothing").message


def test_artifact_may_point_to_a_folder_that_exists(run, tmp_path):
    @dsl.pipeline(name="pointing")
    def pointing(uri: str):
        look(model=point(uri=uri).outputs["model"])

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_text("w")
    result = run(pointing, uri=str(folder))
    assert result.outputs["look"]["Output"] == "wyes"
    assert result.outputs["point"]["model"]["uri"] == str(folder)
    for uri in (str(tmp_path / "gone"), "s3://bucket/model"):
        failed = run(pointing, uri=uri)
        assert failed.state == "FAILED"
        assert "output `model` of task `point`" in failed.error


def test_input_that_was_changed_since_it_was_made_is_not_used(run):
    @door
    def spoil(data: dsl.Input[dsl.Dataset]):
        open(data.path, "w").write("spoilt")

    @dsl.pipeline(name="spoiling")
    def spoiling():
        data = write().outputs["data"]
        read(data=data).after(spoil(data=data))

    result = run(spoiling)
    assert result.state == "FAILED"
    assert "input `data` of task `read`" in task(result, "read").message
    assert "was changed" in task(result, "read").message


def test_task_has_its_own_folder_and_the_variables_it_needs(run):
    @dsl.pipeline(name="showing")
    def showing():
        show()

    result = run(showing, environment={"EXTRA": "given"})
    said = dict(
        line.split("=", 1)
        for line in (result.directory / "logs" / "show.log").read_text().splitlines()
        if "=" in line
    )
    assert said["EXTRA"] == "given"
    assert said["bytecode"] == "False"
    assert (said["PYTHONNOUSERSITE"], said["PYTHONUNBUFFERED"], said["TF_CPP_MIN_LOG_LEVEL"]) == (
        "1",
        "1",
        "2",
    )
    assert said["cwd"] == str(result.directory / "work" / "show")
    from pathlib import Path

    assert (Path(said["PYTHONPATH"]) / "components" / "common" / "errors.py").exists()
    assert not Path(said["tmp"]).exists()
    assert not (result.directory / "work").exists()


def test_arguments_that_are_too_long_for_a_command_are_a_named_error(run):
    @dsl.pipeline(name="long")
    def long(text: str):
        write(text=text)

    result = run(long, text="x" * 200_000)
    assert (result.state, result.exit_code) == ("FAILED", 2)
    assert "hand large values on as artifacts" in result.error


def test_record_of_the_run_is_complete(run):
    result = run(search, count=1)
    record = json.loads((result.directory / "run.json").read_text())
    assert list(record) == [
        "run_id", "pipeline", "state", "seconds", "directory", "outputs", "endpoint", "parameters",
        "package_digest", "code", "environments", "returned", "created", "tasks",
    ]  # fmt: skip
    assert list(record["tasks"][0]) == [
        "name", "state", "seconds", "cpu_seconds", "peak_memory_bytes", "cache_hit", "attempts", "verdict",
        "message", "began_seconds",
    ]  # fmt: skip
    assert 0 <= record["tasks"][0]["began_seconds"] <= record["seconds"]
    assert record["parameters"] == {"count": 1}
    assert record["endpoint"] is None
    import hashlib

    copy = (result.directory / "package.yaml").read_bytes()
    assert record["package_digest"] == hashlib.sha256(copy).hexdigest()
    first = record["tasks"][0]
    assert first["attempts"] == 1
    assert 0 < first["cpu_seconds"] < 30
    assert 5 << 20 < first["peak_memory_bytes"] < 2 << 30


def test_endpoint_of_the_run_is_the_one_that_the_last_task_wrote(run):
    @door
    def deploy(name: str, endpoint: dsl.Output[dsl.Artifact]):
        import json
        import os

        os.makedirs(endpoint.path)
        json.dump({"name": name, "url": "http://127.0.0.1"}, open(endpoint.path + "/endpoint.json", "w"))

    @dsl.pipeline(name="deploying")
    def deploying():
        deploy(name="second").after(deploy(name="first"))

    result = run(deploying)
    assert result.endpoint == {"name": "second", "url": "http://127.0.0.1"}

"""A result is reused exactly as long as everything that could change it is the same."""

# ruff: noqa: SIM115 - doors are one-liners here, in the types that KFP takes

from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from pipelines.local import cache as cache_module
from pipelines.local.cache import Cache, CachedResult
from pipelines.local.content import Artifact, Digests
from pipelines.local.events import TaskChanged
from pipelines.local.exchange import Outputs

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def resolve(folder: str, found: dsl.Output[dsl.Dataset]):
    found.uri = folder


@door
def copy(found: dsl.Input[dsl.Dataset], data: dsl.Output[dsl.Dataset], suffix: str = ""):
    import os

    os.makedirs(data.path)
    open(data.path + "/text", "w").write(open(found.path + "/text").read() + suffix)
    data.metadata["rows"] = 1


@door
def read(data: dsl.Input[dsl.Dataset]) -> str:
    from components.common.errors import BadInputError

    assert BadInputError
    return open(data.path + "/text").read()


@dsl.pipeline(name="cached")
def chain(folder: str, suffix: str = ""):
    found = resolve(folder=folder).set_caching_options(False)
    copied = copy(found=found.outputs["found"], suffix=suffix)
    read(data=copied.outputs["data"])


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "text").write_text("one")
    return folder


def hits(result):
    return {task.name: task.cache_hit for task in result.tasks}


def test_equal_run_takes_everything_but_tasks_with_effects_from_the_cache(run, source):
    first = run(chain, folder=str(source))
    second = run(chain, folder=str(source))
    assert hits(first) == {"resolve": False, "copy": False, "read": False}
    assert hits(second) == {"resolve": False, "copy": True, "read": True}
    assert second.outputs == first.outputs
    again = next(task for task in second.tasks if task.name == "copy")
    assert (again.state, again.attempts, again.message) == ("SUCCEEDED", 0, f"from run {first.run_id}")


def test_equal_content_elsewhere_is_the_same_input(run, source, tmp_path):
    run(chain, folder=str(source))
    other = tmp_path / "other"
    other.mkdir()
    (other / "text").write_text("one")
    assert hits(run(chain, folder=str(other)))["copy"]


def test_changed_content_at_the_same_place_is_a_miss(run, source):
    run(chain, folder=str(source))
    (source / "text").write_text("two")
    result = run(chain, folder=str(source))
    assert hits(result) == {"resolve": False, "copy": False, "read": False}
    assert result.outputs["read"]["Output"] == "two"


def test_changed_parameter_is_a_miss(run, source):
    run(chain, folder=str(source))
    assert not hits(run(chain, folder=str(source), suffix="!"))["copy"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: file.unlink(), "was changed"),
        (lambda file: file.write_text("bad"), "was changed"),
        (lambda file: (file.unlink(), file.parent.rmdir()), "is gone"),
    ],
)
def test_result_that_is_gone_or_changed_is_made_anew_and_said(run, source, harm, said):
    first = run(chain, folder=str(source))
    harm(Path(first.outputs["copy"]["data"]["uri"]) / "text")
    events = []
    second = run(chain, folder=str(source), events=events)
    assert hits(second) == {"resolve": False, "copy": False, "read": True}
    started = next(
        event
        for event in events
        if isinstance(event, TaskChanged) and (event.task, event.kind) == ("copy", "started")
    )
    assert said in started.message
    assert second.state == "SUCCEEDED"


def test_changed_code_of_a_room_is_a_miss_for_the_tasks_that_import_it(run, source, monkeypatch):
    run(chain, folder=str(source))
    real = cache_module.code_digest
    monkeypatch.setattr(cache_module, "code_digest", lambda *rooms: real(*rooms) + "changed")
    assert hits(run(chain, folder=str(source))) == {"resolve": False, "copy": False, "read": False}


def test_rooms_are_those_that_the_command_names():
    from pipelines.local.plan import Container

    text = "from components.training.train import x\nimport components.common.errors"
    container = Container(image="i", command=("sh", text), environment={})
    assert cache_module.rooms_named(container) == ["common", "training"]


def test_run_without_cache_executes_everything_and_leaves_results_for_later_runs(run, source):
    run(chain, folder=str(source))
    without = run(chain, folder=str(source), use_cache=False)
    assert hits(without) == {"resolve": False, "copy": False, "read": False}
    after = run(chain, folder=str(source))
    assert next(task for task in after.tasks if task.name == "copy").message == f"from run {without.run_id}"


def test_failed_task_leaves_nothing_in_the_cache(run, root):
    @door
    def fail():
        raise SystemExit(2)

    @dsl.pipeline(name="failing")
    def failing():
        fail()

    run(failing)
    assert not (root / "cache").exists()
    assert run(failing).state == "FAILED"


@pytest.mark.parametrize("text", ["", "{}", '{"format": "millrace/CachedResult", "format_version": 1}'])
def test_damaged_result_is_no_result(tmp_path, text):
    (tmp_path / "k.json").write_text(text)
    assert Cache(tmp_path).find("k") is None


def test_result_comes_back_as_it_was_stored(tmp_path):
    artifact = Artifact(port="data", title="system.Dataset", version="0.0.1", uri="/d", digest="a", id=7)
    outputs = Outputs(parameters={"Output": True}, artifacts={"data": artifact})
    Cache(tmp_path).store(CachedResult.of(outputs, run_id="r", task="t", execution=3, key="k"))
    found = Cache(tmp_path).find("k")
    assert found is not None
    assert found.outputs() == outputs
    assert found.execution == 3


def test_digest_is_computed_anew_when_a_file_changes(tmp_path):
    file = tmp_path / "folder" / "a"
    file.parent.mkdir()
    file.write_text("one")
    digests = Digests()
    before = digests.of(file.parent)
    assert digests.of(file.parent) == before
    file.write_text("two and more")
    assert digests.of(file.parent) != before

"""What the runner does not execute is refused by its name before anything runs."""

# ruff: noqa: SIM115, T201 - doors are one-liners here, in the types that KFP takes

import sys
from functools import partial
from pathlib import Path

import pytest
import yaml
from kfp import dsl, kubernetes

from components.common.errors import BadInputError
from pipelines.local.events import Notice
from pipelines.local.reading import read_package
from pipelines.local.runner import run_package

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def number(value: int = 1) -> int:
    return value


@door
def note(text: str = ""):
    print(text)


@door
def read(data: dsl.Input[dsl.Dataset]):
    print(open(data.path).read())


@dsl.pipeline(name="field")
def with_field():
    kubernetes.use_field_path_as_env(note(), "NAME", "metadata.name")


@dsl.pipeline(name="volume")
def with_volume():
    kubernetes.mount_pvc(note(), "claim", "/data")


@dsl.pipeline(name="importer")
def with_remote_importer():
    dsl.importer(artifact_uri="gs://bucket/data", artifact_class=dsl.Dataset)


@dsl.pipeline(name="artifact-input")
def with_artifact_input(data: dsl.Input[dsl.Dataset]):
    read(data=data)


@dsl.pipeline(name="literal-quote")
def with_quote(text: str = ""):
    with dsl.If(text == "it's"):
        note()


@dsl.container_component
def bare():
    return dsl.ContainerSpec(image="millrace/deployment")


@dsl.pipeline(name="entry-point")
def with_entry_point():
    bare()


@dsl.pipeline(name="plain")
def plain(count: int = 2):
    number(value=count)


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [
        (with_field, "a field of the pod as a variable"),
        (with_volume, "a mounted volume claim"),
        (with_remote_importer, "an importer of something that is not a path"),
        (with_artifact_input, "artifacts as inputs of a pipeline"),
        (with_entry_point, "entry point"),
    ],
)
def test_construct_is_refused_by_name_before_anything_runs(package, root, pipeline, name):
    events = []
    with pytest.raises(BadInputError, match=name) as refusal:
        run_package(package(pipeline), {}, root=root, on_event=events.append)
    assert "Kubeflow" in str(refusal.value)
    assert events == []
    assert not root.exists()


def test_condition_that_the_compiler_breaks_is_refused_before_anything_runs(package, root):
    with pytest.raises(BadInputError, match="compiler leaves quotes"):
        run_package(package(with_quote), {}, root=root)
    assert not root.exists()


def changed(path, change):
    documents = list(yaml.safe_load_all(path.read_text()))
    change(documents[0], documents[0]["root"]["dag"]["tasks"]["number"])
    path.write_text(yaml.safe_dump_all(documents))
    return path


def retype(spec, task):
    inputs = spec["components"]["comp-number"]["inputDefinitions"]["parameters"]
    inputs["value"]["parameterType"] = "TASK_CONFIG"


def unplug(spec, task):
    task["inputs"]["parameters"]["value"]["componentInputParameter"] = "nobody"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda spec, task: spec.update(schemaVersion="2.2.0"), "2.2.0"),
        (lambda spec, task: spec.update(mystery={"a": 1}), "`mystery`"),
        (lambda spec, task: task.update(mystery=1), "`mystery` — task `number`"),
        (retype, "TASK_CONFIG"),
        (lambda spec, task: task["cachingOptions"].update(cacheKey="k"), "cache key"),
        (lambda spec, task: task.update(dependentTasks=["gone"]), "gone"),
        (lambda spec, task: task.update(dependentTasks=["number"]), "wait for"),
        (unplug, "nothing gives `nobody`"),
        (lambda spec, task: spec.pop("components"), "malformed package"),
    ],
)
def test_package_that_says_something_unknown_is_refused(package, change, name):
    with pytest.raises(BadInputError, match=name):
        read_package(changed(package(plain), change))


@pytest.mark.parametrize(
    ("text", "what"),
    [(": [", "no YAML"), ("", "not a compiled"), ("[1]", "not a compiled"), ("a: 1", "not a compiled")],
)
def test_file_that_is_no_package_is_refused(tmp_path, text, what):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=what):
        read_package(path)


def test_missing_package_is_an_error_that_names_it(tmp_path):
    with pytest.raises(BadInputError, match=r"none\.yaml"):
        read_package(tmp_path / "none.yaml")


def test_settings_of_pods_are_passed_over_and_said_once(package, root):
    @dsl.pipeline(name="pods")
    def pods():
        for _ in range(2):
            task = note().set_memory_limit("1Gi")
            kubernetes.add_toleration(task, key="gpu", operator="Exists")

    events = []
    assert run_package(package(pods), {}, root=root, on_event=events.append).state == "SUCCEEDED"
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert [name for name in ("resources", "tolerations") if any(name in said for said in notices)] == [
        "resources", "tolerations",
    ]  # fmt: skip
    assert len(notices) == 2


def test_image_that_is_not_ours_is_refused_unless_it_is_mapped(package, root):
    @dsl.component(base_image="elsewhere/python:3", install_kfp_package=False)
    def foreign() -> str:
        import sys

        return sys.prefix

    @dsl.pipeline(name="foreign")
    def pipeline():
        foreign()

    path = package(pipeline)
    with pytest.raises(BadInputError, match="elsewhere/python:3"):
        run_package(path, {}, root=root)
    mapped = {"elsewhere/python:3": Path(sys.prefix)}
    result = run_package(path, {}, root=root, images=mapped)
    assert result.outputs["foreign"]["Output"] == sys.prefix
    with pytest.raises(BadInputError, match="environment is missing"):
        run_package(path, {}, root=root, images={"elsewhere/python:3": Path("/nowhere")})


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"cuont": 1}, "did you mean `count`"),
        ({"count": "1"}, "parameter `count`"),
        ({"count": 1.5}, "a whole number"),
    ],
)
def test_parameter_that_cannot_be_taken_is_refused(package, root, parameters, said):
    with pytest.raises(BadInputError, match=said):
        run_package(package(plain), parameters, root=root)
    assert not root.exists()


def test_missing_required_parameter_is_named(package, root):
    @dsl.pipeline(name="required")
    def required(label: str):
        note(text=label)

    with pytest.raises(BadInputError, match="`label` is missing"):
        run_package(package(required), {"label": None}, root=root)

"""All that is wrong with a package is found, not only the first."""

from functools import partial
from typing import List  # noqa: UP035 - KFP's form

import pytest
from kfp import dsl, kubernetes
from typer.testing import CliRunner

from pipelines.build import Build
from pipelines.cli import app
from pipelines.compiling.checks import Finding, check_package
from pipelines.compiling.package import compile_pipeline

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def number(value: int = 1) -> int:
    return value


@door
def note(text: str = ""):
    print(text)  # noqa: T201 - the work of it


@dsl.pipeline(name="wrong")
def wrong(text: str, untyped: list, typed: List[int]):  # noqa: UP006 - KFP's form
    kubernetes.use_secret_as_env(note(), "store", {"key": "KEY"})
    kubernetes.mount_pvc(note().set_memory_limit("1Gi"), "claim", "/data")
    dsl.importer(artifact_uri="gs://bucket/data", artifact_class=dsl.Dataset)
    with dsl.If(text == "it's"):
        note(text="x")
    with dsl.ParallelFor(untyped) as item:
        number(value=item)
    with dsl.ParallelFor(typed) as item:
        number(value=item)


@dsl.container_component
def first(out: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image="millrace/deployment", command=["true"])


@dsl.container_component
def second(a: int):
    return dsl.ContainerSpec(image="millrace/deployment", command=["true"])


@pytest.fixture
def package(tmp_path):
    def compile_it(pipeline):
        from kfp import compiler

        path = tmp_path / "p.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return path

    return compile_it


def test_all_problems_are_found_with_their_places(package):
    found = check_package(package(wrong))
    assert {(one.rule, one.severity) for one in found} == {
        ("secret", "notice"), ("pvcMount", "error"), ("importer-scheme", "error"),
        ("condition", "error"), ("loop-item", "warning"), ("resources", "notice"),
    }  # fmt: skip
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=["error", "warning", "notice"].index)
    assert [one.where for one in found if one.rule == "loop-item"] == ["task `for-loop-2-number`"]
    assert all(one.fix for one in found if one.severity == "error")


def test_workspace_that_the_pipeline_does_not_have_is_missed(package):
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))

    @dsl.pipeline(name="shared", pipeline_config=config)
    def shared():
        note(text=dsl.WORKSPACE_PATH_PLACEHOLDER)

    path = package(shared)
    assert check_package(path) == []
    path.write_text(path.read_text().split("\n---\n")[0])
    assert [(one.rule, one.where) for one in check_package(path)] == [("workspace", "task `note`")]


def test_components_that_the_backend_takes_for_one_are_told(package):
    @dsl.pipeline(name="twins")
    def twins():
        first()
        second(a=1)

    assert [one.rule for one in check_package(package(twins))] == ["equal-commands"]


def test_our_pipeline_has_no_error(tmp_path):
    found = check_package(compile_pipeline("training", Build(), tmp_path))
    assert [one for one in found if one.severity == "error"] == []


def test_file_that_is_no_package_is_one_finding(tmp_path):
    (tmp_path / "p.yaml").write_text(": [")
    (found,) = check_package(tmp_path / "p.yaml")
    assert (found.rule, found.severity) == ("package", "error")


def test_finding_reads_as_one_line():
    finding = Finding(where="task `a`", rule="r", message="is wrong", fix=None, severity="error")
    assert str(finding) == "task `a`: r: is wrong"


def test_command_ends_with_2_when_something_is_refused(package, tmp_path):
    bad = CliRunner().invoke(app, ["check", str(package(wrong)), "--lists"])
    assert bad.exit_code == 2
    assert "error: settings of `exec-note-2` for Kubernetes: pvcMount: " in bad.output
    assert "a mounted volume claim" in bad.output

    @dsl.pipeline(name="right")
    def right():
        note()

    good = CliRunner().invoke(app, ["check", str(package(right))])
    assert (good.exit_code, good.output) == (0, f"{tmp_path / 'p.yaml'} can be executed here\n")

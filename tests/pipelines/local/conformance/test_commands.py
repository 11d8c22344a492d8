"""Container components, importers, variables, workspaces and the job's placeholders."""

import re
from typing import Optional

import pytest
from kfp import dsl, kubernetes

from pipelines.local.command import compose_command
from pipelines.local.store import Store
from tests.pipelines.local.conformance.cases import door, make, read, say

PRINT = 'for word in "$@"; do printf "%s|" "$word"; done > "$0"'


@dsl.container_component
def words(out: dsl.OutputPath(str), a: str, b: Optional[str] = None, n: int = 3):  # noqa: UP045 - KFP's form
    return dsl.ContainerSpec(
        image="millrace/deployment",
        command=["sh", "-c", PRINT],
        args=[
            out, a, dsl.ConcatPlaceholder(["x=", a, "-", dsl.IfPresentPlaceholder("b", "yes", "no")]),
            dsl.IfPresentPlaceholder("b", then=["--b", b], else_=["--none"]), n,
        ],
    )  # fmt: skip


@door
def variable(name: str) -> str:
    import os

    return os.environ[name]


@door
def put(folder: str, text: str):
    open(folder + "/shared", "w").write(text)  # noqa: SIM115 - one line


@door
def get(folder: str) -> str:
    return open(folder + "/shared").read()


# sdk/python/kfp/dsl/placeholders.py; stock: sdk/python/kfp/local/placeholder_utils.py.
@pytest.mark.parametrize(
    ("b", "said"),
    [(None, "q t|x=q t-no|--none|3|"), ("'$b\"", "q t|x=q t-yes|--b|'$b\"|3|")],
)
def test_container_component_gets_its_words(run, b, said):
    @dsl.pipeline(name="words")
    def pipeline(a: str, b: Optional[str] = None) -> str:  # noqa: UP045 - KFP's form
        return words(a=a, b=b).outputs["out"]

    assert run(pipeline, a="q t", b=b).returned == {"Output": said}


def test_words_of_a_structure_that_says_nothing_are_left_out():
    given = {"inputs": {"parameterValues": {}, "artifacts": {}}}
    part = '{"IfPresent": {"InputName": "b", "Then": "x"}}'
    assert compose_command(["a", part], given, "task", {}) == ["a"]


def test_container_gets_its_variables(run):
    @dsl.pipeline(name="variables")
    def pipeline() -> str:
        return variable(name="A").set_env_variable("A", "b c").output

    assert run(pipeline).returned == {"Output": "b c"}


def test_placeholders_of_the_job_stand_for_this_run(run):
    @dsl.pipeline(name="job")
    def pipeline() -> str:
        text = f"{dsl.PIPELINE_JOB_NAME_PLACEHOLDER} {dsl.PIPELINE_TASK_NAME_PLACEHOLDER}"
        return say(text=f"{text} {dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER}").output

    result = run(pipeline)
    run_id, task, made = result.returned["Output"].split()
    assert (run_id, task) == (result.run_id, "say")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made)


def test_workspace_is_a_folder_that_tasks_share(run):
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))

    @dsl.pipeline(name="workspace", pipeline_config=config)
    def pipeline() -> str:
        put_it = put(folder=dsl.WORKSPACE_PATH_PLACEHOLDER, text="here")
        return get(folder=dsl.WORKSPACE_PATH_PLACEHOLDER).after(put_it).output

    result = run(pipeline)
    assert result.returned == {"Output": "here"}
    assert (result.directory / "workspace" / "shared").read_text() == "here"


# backend/src/v2/component/importer_launcher.go: findOrNewArtifactToImport, ImportSpecToMLMDArtifact.
@pytest.mark.parametrize(("reimport", "records"), [(False, 1), (True, 2)])
def test_importer_reuses_an_equal_artifact_unless_it_reimports(run, root, tmp_path, reimport, records):
    (tmp_path / "data").write_text("imported")

    @dsl.pipeline(name="importing")
    def pipeline(uri: str, who: str = "me") -> str:
        found = dsl.importer(
            artifact_uri=uri, artifact_class=dsl.Dataset, reimport=reimport, metadata={"who": who, "n": 1}
        )
        return read(data=found.output).output

    for uri in (str(tmp_path / "data"), f"file://{tmp_path}/data"):
        result = run(pipeline, uri=uri)
        assert result.returned == {"Output": "imported"}
        metadata = result.outputs["importer"]["artifact"]["metadata"]
        assert metadata == {"who": "me", "n": 1}
    found = Store(root / "metadata.sqlite").call("get_artifacts_by_uri", str(tmp_path / "data"))
    assert len(found) == records


@door
def change(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path, "a") as file:
        file.write(" and changed")
    return data.path


# backend/src/v2/component/importer_launcher.go: LocalWorkspacePathForURI.
@pytest.mark.parametrize("folder", [False, True])
def test_importer_brings_a_copy_into_the_workspace(run, root, tmp_path, folder):
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))
    place = tmp_path / "data" / "inner"
    place.mkdir(parents=True)
    (place / "file").write_text("imported")
    uri = place.parent if folder else place / "file"

    @dsl.pipeline(name="bringing", pipeline_config=config)
    def pipeline(uri: str) -> str:
        found = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, download_to_workspace=True)
        return (where if folder else change)(data=found.output).output

    result = run(pipeline, uri=str(uri))
    brought = result.directory / "workspace" / ".artifacts" / str(uri).lstrip("/")
    assert result.returned == {"Output": str(brought)}, result.error
    assert (place / "file").read_text() == "imported"
    if not folder:
        assert brought.read_text() == "imported and changed"
    assert len(Store(root / "metadata.sqlite").call("get_artifacts_by_uri", str(uri))) == 1


@door
def where(data: dsl.Input[dsl.Dataset]) -> str:
    return data.path


@pytest.mark.parametrize("uri", ["gs://bucket/x", "relative/x", "/nowhere/at/all"])
def test_importer_of_what_is_not_here_fails_by_name(run, uri):
    @dsl.pipeline(name="importing")
    def pipeline(uri: str):
        read(data=dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset).output)

    result = run(pipeline, uri=uri)
    assert result.state == "FAILED"
    assert uri in result.error


def test_caching_option_of_a_task_is_kept(run):
    @dsl.pipeline(name="cached")
    def pipeline():
        make()
        say(text="x").set_caching_options(False)

    run(pipeline)
    hits = {task.name: task.cache_hit for task in run(pipeline).tasks}
    assert hits == {"make": True, "say": False}


def test_timeout_in_the_package_belongs_to_its_task(package):
    from pipelines.local.reading import read_package
    from pipelines.local.walks import container_tasks

    @dsl.pipeline(name="timeouts")
    def pipeline():
        kubernetes.set_timeout(make(), 90)
        say(text="x")

    graph = read_package(package(pipeline)).graph
    found = {task.name: work.timeout for task, work in container_tasks(graph)}
    assert found == {"make": 90.0, "say": None}

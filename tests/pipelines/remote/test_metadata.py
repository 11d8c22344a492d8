"""Lineage over gRPC: a real store, filled by the embedded runner in KFP's shape, behind its service."""

# ruff: noqa: SIM115 - doors are one-liners here, in the types that KFP takes

import json
from functools import partial

import grpc
import pytest
from kfp import compiler, dsl
from ml_metadata.proto import metadata_store_pb2 as pb

from pipelines.local.lineage_down import downstream
from pipelines.local.lineage_query import upstream
from pipelines.local.runner import run_package
from pipelines.local.store import STORE_NAME
from tests.pipelines.remote.metadata import MetadataService

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def ingest(sources: dict, identities: dict, snapshot: dsl.Output[dsl.Artifact]):
    import os
    from pathlib import Path

    from components.common.artifacts import Snapshot, write_snapshot
    from components.common.storage import file_digest

    files = [
        {"uri": uri, "bytes": os.path.getsize(uri), "sha256": file_digest(Path(uri))}
        for uri in sources["rows"]
    ]
    write_snapshot(
        Path(snapshot.path),
        Snapshot(
            version="v1", sources={"rows": files}, query=None, split={}, rows={"train": 1}, columns={}
        ),
    )
    snapshot.metadata.update(version="v1", rows=7)


@door
def train(
    rate: float,
    snapshot: dsl.Input[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
):
    open(model.path, "w").write(str(rate))
    metrics.log_metric("auc", rate)


@dsl.pipeline(name="short")
def short(sources: dict, identities: dict, rate: float = 0.5):
    data = ingest(sources=sources, identities=identities)
    train(rate=rate, snapshot=data.outputs["snapshot"])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two runs of this machine, one store, and its service."""
    home = tmp_path_factory.mktemp("recorded")
    file = home / "a.csv"
    file.write_text("x\n1\n")
    compiler.Compiler().compile(short, str(home / "short.yaml"))
    given = {
        "sources": {"rows": [str(file)]},
        "identities": {"rows": [{"uri": str(file), "identity": "e", "bytes": 4, "partition": {}}]},
    }
    results = [
        run_package(
            home / "short.yaml", {**given, "rate": rate}, root=home / "runs", on_event=lambda event: None
        )
        for rate in (0.5, 0.75)
    ]
    with MetadataService(home / "runs" / STORE_NAME) as service:
        yield home, file, results, service


def without_digests(tree):
    """A store alone does not know what source files held, and has no folder to measure."""
    inside = [without_digests(node) for node in tree.get("made_from", [])]
    gone = {"sha256"} if tree["kind"] == "source" else set()
    kept = {key: value for key, value in tree.items() if key not in gone}
    return {**kept, "made_from": inside} if inside else kept


def test_lineage_over_grpc_is_that_of_the_file(millrace, recorded):
    home, file, results, service = recorded
    for what in (results[0].run_id, results[1].outputs["train"]["model"]["uri"]):
        said = millrace("lineage", what, "--metadata", service.address, "--json")
        assert said.code == 0
        tree = json.loads(said.out)
        assert tree == without_digests(upstream(home / "runs", what).as_dict())
        assert str(file) in said.out
    assert "GetContextByTypeAndName" in service.calls


def test_what_came_of_a_file_is_told_over_grpc(millrace, recorded):
    home, file, _, service = recorded
    said = millrace("lineage", file, "--down", "--metadata", service.address, "--json")
    (tree,), (known,) = (
        json.loads(said.out),
        [one.as_dict() for one in downstream(home / "runs", str(file))],
    )
    assert said.code == 0
    assert tree["led_to"] == known["led_to"]
    assert [leaf["name"] for node in tree["led_to"] for leaf in node["led_to"]] == ["model", "model"]


def test_files_that_were_too_many_to_tell_are_told_as_they_were_declared(millrace, tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    given = {"files": 1, "digest": "0", "tags": "AAAA"}  # as `resolve_sources` folds thousands
    compiler.Compiler().compile(short, str(tmp_path / "short.yaml"))
    parameters = {"sources": {"rows": [str(tmp_path / "a.csv")]}, "identities": {"rows": given}}
    result = run_package(
        tmp_path / "short.yaml", parameters, root=tmp_path / "runs", on_event=lambda event: None
    )
    with MetadataService(tmp_path / "runs" / STORE_NAME) as service:
        said = millrace("lineage", result.run_id, "--metadata", service.address, "--json")
    tree = json.loads(said.out)
    assert said.code == 0, said.err
    (model,) = tree["made_from"][:1]
    assert [leaf["uri"] for leaf in model["made_from"][0]["made_from"]] == [str(tmp_path / "a.csv")]


def test_artifact_is_found_by_a_path_inside_it(millrace, recorded):
    _, _, results, service = recorded
    uri = results[0].outputs["ingest"]["snapshot"]["uri"]
    said = millrace("lineage", f"{uri}/snapshot.json", "--metadata", service.address, "--json")
    assert json.loads(said.out)["name"] == "snapshot"


def test_unknown_run_is_an_error_that_suggests_one(millrace, recorded):
    _, _, results, service = recorded
    run_id = max(result.run_id for result in results)
    said = millrace("lineage", run_id[:-1], "--metadata", service.address)
    assert said.code == 2
    assert "did you mean" in said.err


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("UNAVAILABLE", 4),
        ("INTERNAL", 4),
        ("DEADLINE_EXCEEDED", 4),
        ("PERMISSION_DENIED", 2),
        ("UNAUTHENTICATED", 2),
    ],
)
def test_failing_service_is_told_in_a_line(millrace, recorded, status, code):
    service = recorded[3]
    service.refuse = grpc.StatusCode[status]
    try:
        said = millrace("lineage", "x", "--metadata", service.address)
    finally:
        service.refuse = None
    assert (said.code, said.err.count("\n"), "Traceback" in said.err) == (code, 1, False)
    assert service.address in said.err


def test_log_of_a_pod_that_is_gone_is_what_the_launcher_kept(millrace, kubeflow, package, plan, tmp_path):
    """The records are those of KFP 2.17's launcher (`component/launcher_v2.go`), put by hand."""
    kubeflow.api.play(plan, ("FAILED", {"prepare": ("SUCCEEDED", 1, 9, 1), "choose": ("FAILED", 11, 20)}))
    run_id = millrace("submit", package, "-p", "rows=3").out.strip()
    with MetadataService(tmp_path / "kfp.sqlite") as service:
        _put_log(service.store, run_id, "choose", "minio://mlpipeline/v2/artifacts/x/executor-logs-0")
        kubeflow.api.logs["minio://mlpipeline/v2/artifacts/x/executor-logs-0"] = "error: too few\n"
        words = ["logs", run_id, "choose", "--metadata", service.address]
        assert millrace(*words).out == "error: too few\n"
        kubeflow.api.logs.clear()
        gone = millrace(*words)
        assert (gone.code, gone.err.count("\n")) == (4, 1)
        none = millrace("logs", run_id, "prepare", "--metadata", service.address)
        assert (none.code, "no log was kept" in none.err) == (4, True)


def _put_log(store, run_id, task, uri):
    kinds = {
        "execution": store.put_execution_type(pb.ExecutionType(name="system.ContainerExecution")),
        "artifact": store.put_artifact_type(pb.ArtifactType(name="system.Artifact")),
        "context": store.put_context_type(pb.ContextType(name="system.PipelineRun")),
    }
    execution = pb.Execution(type_id=kinds["execution"])
    execution.custom_properties["display_name"].string_value = task
    artifact = pb.Artifact(type_id=kinds["artifact"], uri=uri)
    event = pb.Event(type=pb.Event.OUTPUT)
    event.path.steps.add().key = "executor-logs"
    context = pb.Context(type_id=kinds["context"], name=run_id)
    store.put_execution(execution, [(artifact, event)], [context])


def test_comparison_has_data_metrics_and_what_changed_from_metadata(millrace, kubeflow, recorded):
    """The same runs as Kubeflow would have them: the API's answers are played, the store is real."""
    from pipelines.local.reading import read_package

    home, _, results, service = recorded
    plan = read_package(home / "short.yaml")
    package = home / "there.yaml"
    package.write_text(
        (home / "short.yaml").read_text().replace("millrace/deployment", "registry.example/d")
    )
    kubeflow.api.play(plan, ("SUCCEEDED", {"ingest": ("SUCCEEDED", 1, 9), "train": ("SUCCEEDED", 11, 20)}))
    for result in results:
        given = ["-p", "sources={}", "-p", "identities={}"]
        made = millrace("submit", package, *given).out.strip()
        kubeflow.api.runs[result.run_id] = {**kubeflow.api.runs.pop(made), "run_id": result.run_id}
    words = ["compare", *(result.run_id for result in results), "--metadata", service.address]
    found = json.loads(millrace(*words, "--json").out)
    read = {"version": "v1", "rows": {"all": 7}}
    assert found["data"] == [{"name": "ingest", "first": read, "second": read}]
    (metric,) = found["metrics"]
    assert (metric["name"], metric["difference"]) == ("train: auc", 0.25)
    changed = {one["name"]: one["changed"] for one in found["tasks"]}
    assert changed == {"ingest": [], "train": ["parameter rate"]}
    assert "train: auc" in millrace(*words).out

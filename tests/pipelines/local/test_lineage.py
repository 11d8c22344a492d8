"""The store is read with ML Metadata's own client; the shape is that of KFP 2.17 (`metadata/client.go`)."""

# ruff: noqa: B006, SIM115 - doors are one-liners here, in the types that KFP takes

import json
import multiprocessing
import sqlite3
import subprocess
import sys
import time
from functools import partial

import pytest
from google.protobuf import json_format
from kfp import dsl
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from components.common.errors import BadInputError, UnavailableError
from components.common.storage import content_digest, file_digest
from pipelines.local.history import list_runs
from pipelines.local.lineage_query import upstream
from pipelines.local.runner import run_package
from pipelines.local.serving.state import ServingState, StateFolder
from pipelines.local.store import STORE_NAME, Store

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def ingest(sources: dict, snapshot: dsl.Output[dsl.Artifact], examples: dsl.Output[dsl.Dataset]):
    import os
    from pathlib import Path

    from components.common.artifacts import Snapshot, write_snapshot
    from components.common.storage import file_digest

    files = [
        {"uri": uri, "bytes": os.path.getsize(uri), "sha256": file_digest(Path(uri))}
        for uri in sources["rows"]
    ]
    document = Snapshot(
        version="v", sources={"rows": files}, query=None, split={}, rows={"train": 1}, columns={}
    )
    Path(snapshot.path).mkdir()
    write_snapshot(Path(snapshot.path), document)
    Path(examples.path).mkdir()
    (Path(examples.path) / "part").write_text("rows")
    examples.metadata["rows"] = 3
    examples.metadata["name"] = "n"


@door
def propose() -> list[dict]:
    return [{"number": 0}, {"number": 1}]


@door
def train(
    batch: dict, examples: dsl.Input[dsl.Dataset], snapshot: dsl.Input[dsl.Artifact],
    model: dsl.Output[dsl.Model], metrics: dsl.Output[dsl.Metrics],
):  # fmt: skip
    open(model.path, "w").write(str(batch))
    metrics.log_metric("auc", 0.5)


@door
def select(models: dsl.Input[list[dsl.Model]], best: dsl.Output[dsl.Model], options: dict = {}) -> bool:
    best.uri = models[1].uri
    return True


@door
def fail(best: dsl.Input[dsl.Model], half: dsl.Output[dsl.Model]):
    open(half.path, "w").write("x")
    raise SystemExit(2)


@dsl.pipeline(name="line")
def line(sources: dict):
    data = ingest(sources=sources)
    with dsl.ParallelFor(propose().output, parallelism=2, name="trials") as batch:
        trained = train(batch=batch, examples=data.outputs["examples"], snapshot=data.outputs["snapshot"])
    select(models=dsl.Collected(trained.outputs["model"]))


@dsl.pipeline(name="broken")
def broken(sources: dict):
    data = ingest(sources=sources)
    trained = train(batch={}, examples=data.outputs["examples"], snapshot=data.outputs["snapshot"])
    fail(best=trained.outputs["model"])


@pytest.fixture
def sources(tmp_path):
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for file in files:
        file.write_text(f"x\n{file.name}\n")
    return {"rows": [str(file) for file in files]}


@pytest.fixture
def store(root):
    def open_store():
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(root / STORE_NAME)
        config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
        return metadata_store.MetadataStore(config)

    return open_store


def by_name(executions):
    return {execution.custom_properties["task_name"].string_value: execution for execution in executions}


def test_run_has_the_contexts_and_executions_that_kfp_writes(run, store, sources):
    result = run(line, sources=sources)
    ml = store()
    context = ml.get_context_by_type_and_name("system.PipelineRun", result.run_id)
    assert context.custom_properties["pipeline_root"].string_value == str(result.directory)
    assert [parent.name for parent in ml.get_parent_contexts_by_context(context.id)] == ["line"]
    executions = ml.get_executions_by_context(context.id)
    kinds = {kind.id: kind.name for kind in ml.get_execution_types()}
    graphs = [found for found in executions if kinds[found.type_id] == "system.DAGExecution"]
    tasks = [found for found in executions if kinds[found.type_id] == "system.ContainerExecution"]
    assert len(graphs) == 4  # the pipeline, the loop, its two iterations
    assert len(tasks) == 5
    assert {found.last_known_state for found in executions} == {pb.Execution.COMPLETE}

    root_graph = next(found for found in graphs if found.name == f"run/{result.run_id}")
    loop = next(found for found in graphs if "iteration_count" in found.custom_properties)
    iterations = [found for found in graphs if "iteration_index" in found.custom_properties]
    assert loop.custom_properties["iteration_count"].int_value == 2
    assert loop.custom_properties["total_dag_tasks"].int_value == 1
    assert loop.custom_properties["parent_dag_id"].int_value == root_graph.id
    assert {found.custom_properties["parent_dag_id"].int_value for found in iterations} == {loop.id}
    assert sorted(found.custom_properties["iteration_index"].int_value for found in iterations) == [0, 1]
    producers = json.loads(loop.custom_properties["artifact_producer_task"].string_value)
    selectors = producers["pipelinechannel--train-model"]["artifactSelectors"]
    assert selectors == [{"producerSubtask": "train", "outputArtifactKey": "model"}]

    select_task = by_name(tasks)["select"].custom_properties
    assert select_task["parent_dag_id"].int_value == root_graph.id
    assert select_task["image"].string_value == "millrace/deployment"
    assert len(select_task["cache_fingerprint"].string_value) == 64
    assert json_format.MessageToDict(select_task["inputs"].struct_value) == {"options": {}}
    assert json_format.MessageToDict(select_task["outputs"].struct_value) == {"Output": True}
    trials = [found for found in tasks if found.custom_properties["task_name"].string_value == "train"]
    parents = {found.custom_properties["parent_dag_id"].int_value for found in trials}
    assert parents == {found.id for found in iterations}


def test_artifacts_have_type_metadata_digest_and_events_by_port(run, store, sources):
    result = run(line, sources=sources)
    ml = store()
    made = result.outputs["ingest"]["examples"]
    (examples,) = ml.get_artifacts_by_uri(made["uri"])
    assert examples.type == "system.Dataset"
    assert examples.state == pb.Artifact.LIVE
    properties = examples.custom_properties
    assert properties["digest"].string_value == content_digest(
        result.directory / "artifacts/ingest/1/examples"
    )
    assert properties["rows"].double_value == 3
    assert properties["name"].string_value == "n"
    assert properties["display_name"].string_value == "examples"
    assert json.loads(properties["store_session_info"].string_value)["Provider"] == "file"
    events = ml.get_events_by_artifact_ids([examples.id])
    names = {found.id: found.custom_properties["task_name"].string_value for found in ml.get_executions()}
    seen = sorted((names[event.execution_id], event.type) for event in events)
    loop = ("for-loop-1", pb.Event.INPUT)  # graphs have input events too, as in KFP
    assert seen == [loop, loop, loop, ("ingest", pb.Event.OUTPUT), *[("train", pb.Event.INPUT)] * 2]
    keys = {(names[event.execution_id], event.path.steps[0].key) for event in events}
    assert keys == {
        ("ingest", "examples"), ("for-loop-1", "pipelinechannel--ingest-examples"), ("train", "examples"),
    }  # fmt: skip

    select_task = by_name(ml.get_executions())["select"]
    taken = [e for e in ml.get_events_by_execution_ids([select_task.id]) if e.type == pb.Event.INPUT]
    models = {uri["uri"] for uri in result.outputs["train"]["model"]}
    assert {found.uri for found in ml.get_artifacts_by_id([e.artifact_id for e in taken])} == models


def test_failed_task_leaves_no_artifact(run, store, sources):
    result = run(broken, sources=sources)
    assert result.state == "FAILED"
    ml = store()
    executions = ml.get_executions()
    states = {name: found.last_known_state for name, found in by_name(executions).items()}
    assert states == {
        "": pb.Execution.FAILED, "ingest": pb.Execution.COMPLETE, "train": pb.Execution.COMPLETE,
        "fail": pb.Execution.FAILED,
    }  # fmt: skip
    assert {found.uri.rpartition("/")[2] for found in ml.get_artifacts()} == {
        "snapshot", "examples", "model", "metrics",
    }  # fmt: skip


def test_cached_task_points_to_the_artifacts_and_the_execution_of_the_first(run, store, sources):
    first = run(line, sources=sources)
    number = len(store().get_artifacts())
    second = run(line, sources=sources)
    ml = store()
    assert len(ml.get_artifacts()) == number
    context = ml.get_context_by_type_and_name("system.PipelineRun", second.run_id)
    cached = by_name(ml.get_executions_by_context(context.id))["ingest"]
    assert cached.last_known_state == pb.Execution.CACHED
    context = ml.get_context_by_type_and_name("system.PipelineRun", first.run_id)
    original = by_name(ml.get_executions_by_context(context.id))["ingest"]
    assert cached.custom_properties["cached_execution_id"].string_value == str(original.id)
    outputs = [
        {
            event.artifact_id
            for event in ml.get_events_by_execution_ids([number])
            if event.type == pb.Event.OUTPUT
        }
        for number in (cached.id, original.id)
    ]
    assert outputs[0] == outputs[1] != set()


def test_cache_that_outlived_its_store_is_recorded_in_the_new_one(run, store, root, sources):
    run(line, sources=sources)
    (root / STORE_NAME).unlink()
    result = run(line, sources=sources)
    assert result.state == "SUCCEEDED"
    ml = store()
    (examples,) = ml.get_artifacts_by_uri(result.outputs["ingest"]["examples"]["uri"])
    assert examples.custom_properties["name"].string_value == "n"


def leaves(node):
    inside = node.get("made_from", [])
    return [node] if not inside else [leaf for inner in inside for leaf in leaves(inner)]


def test_lineage_of_a_run_reaches_the_source_files_and_their_sha256(run, root, sources, tmp_path):
    for result in (run(line, sources=sources), run(line, sources=sources)):  # the second one is cached
        tree = json.loads(json.dumps(upstream(root, result.run_id).as_dict()))
        assert tree["kind"] == "run"
        assert {node["name"] for node in tree["made_from"]} == {"best", "metrics"}
        found = {leaf["uri"]: leaf for leaf in leaves(tree) if leaf["kind"] == "source"}
        assert set(found) == set(sources["rows"])
        for name in ("a.csv", "b.csv"):
            leaf = found[str(tmp_path / name)]
            assert leaf["sha256"] == file_digest(tmp_path / name)
            assert leaf["bytes"] == (tmp_path / name).stat().st_size


def test_lineage_of_an_artifact_names_the_task_that_made_it(run, root, sources, monkeypatch):
    result = run(line, sources=sources)
    uri = result.outputs["train"]["model"][1]["uri"]
    node = upstream(root, uri)
    assert (node.name, node.task, node.run_id) == ("model", "train-1", result.run_id)
    assert node.sha256 == content_digest(result.directory / "artifacts/train-1/1/model")
    assert {inner.name for inner in node.made_from} == {"examples", "snapshot"}
    monkeypatch.chdir(result.directory)
    inside = upstream(root, "artifacts/ingest/1/examples/part")
    assert (inside.name, inside.task) == ("examples", "ingest")
    (snapshot,) = inside.made_from  # its task gave both, and only the snapshot knows the files
    assert [leaf.uri for leaf in snapshot.made_from] == sources["rows"]


def test_lineage_of_an_endpoints_url_is_that_of_the_model_that_answers_there(run, root, sources):
    result = run(line, sources=sources)
    model, examples = (
        result.outputs[task][port]["uri"] for task, port in (("select", "best"), ("ingest", "examples"))
    )
    folder = StateFolder.of(root)
    folder.make()
    served = {
        "revisions": {
            name: {"model_uri": uri, "model_digest": "d"} for name, uri in (("a", examples), ("b", model))
        },
        "weights": {"a": 10, "b": 90},
    }
    folder.write_state(ServingState(endpoints={"prices": served}))
    for address in ("v2/models/prices/infer", "v1/models/prices:predict", "v2/models/prices"):
        assert upstream(root, f"http://127.0.0.1:8080/{address}") == upstream(root, model)
    with pytest.raises(BadInputError, match="neither a run nor an artifact"):
        upstream(root, "http://127.0.0.1:8080/v2/models/other/infer")


def test_artifact_is_continued_only_where_it_stands_first(run, root, sources):
    tree = upstream(root, run(line, sources=sources).run_id).as_dict()

    def count(node):
        return (node["name"] == "snapshot" and "made_from" in node) + sum(
            count(inner) for inner in node.get("made_from", [])
        )

    assert count(tree) == 1


def test_unknown_run_is_an_error_that_suggests_one(run, root, sources):
    with pytest.raises(BadInputError, match="no run was recorded"):
        upstream(root, "x")
    run_id = run(line, sources=sources).run_id
    with pytest.raises(BadInputError, match=f"did you mean `{run_id}`"):
        upstream(root, run_id[:-1])


def test_runs_are_listed_newest_first_and_a_damaged_one_is_called_so(run, root, sources):
    assert list_runs(root) == []
    first = run(line, sources=sources)
    time.sleep(1.1)  # run ids have seconds
    second = run(line, sources=sources)
    (first.directory / "run.json").write_text("{")
    found = list_runs(root)
    assert [record["run_id"] for record in found] == [second.run_id, first.run_id]
    assert [record["state"] for record in found] == ["SUCCEEDED", "DAMAGED"]
    assert "run.json" in found[1]["error"]


def execute(package, root, sources, answers):
    answers.put(run_package(package, {"sources": sources}, root=root, use_cache=False).run_id)


def test_two_runs_at_once_are_both_recorded(package, root, store, sources):
    path, spawn = package(line), multiprocessing.get_context("forkserver")
    answers = spawn.Queue()
    both = [spawn.Process(target=execute, args=(path, root, sources, answers)) for _ in range(2)]
    for process in both:
        process.start()
    run_ids = [answers.get(timeout=60) for _ in both]
    for process in both:
        process.join()
    ml = store()
    for run_id in run_ids:
        context = ml.get_context_by_type_and_name("system.PipelineRun", run_id)
        executions = ml.get_executions_by_context(context.id)
        assert len(executions) == 9
        assert {found.last_known_state for found in executions} == {pb.Execution.COMPLETE}
    assert {record["state"] for record in list_runs(root)} == {"SUCCEEDED"}
    assert len(ml.get_contexts_by_type("system.Pipeline")) == 1


@pytest.fixture
def locked(tmp_path):
    """A store that another process holds; POSIX locks do not count inside one process."""
    path = tmp_path / STORE_NAME
    Store(path)
    code = (
        "import sqlite3, sys, time\n"
        "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "held.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield path, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_store_that_stays_locked_is_unavailable_and_named(locked):
    path, process = locked
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=str(path)):
        Store(path, patience_seconds=0.5)
    assert time.monotonic() - began < 3
    process.kill()
    assert Store(path, patience_seconds=5).call("get_executions") == []


def test_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / STORE_NAME
    path.write_text("not a database" * 100)
    with pytest.raises(BadInputError, match="no lineage store"):
        Store(path)


def test_run_that_cannot_be_recorded_ends_as_unavailable(run, root, sources, monkeypatch):
    root.mkdir()
    sqlite3.connect(root / STORE_NAME).close()

    def busy(path):
        raise UnavailableError("lineage cannot be recorded", where=path)

    monkeypatch.setattr("pipelines.local.context.Store", busy)
    result = run(line, sources=sources)
    assert (result.state, result.exit_code) == ("FAILED", 4)
    assert "lineage cannot be recorded" in result.error
    assert json.loads((result.directory / "run.json").read_text())["state"] == "FAILED"

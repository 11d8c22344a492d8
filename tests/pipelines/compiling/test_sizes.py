"""Wide tables and long searches stay below what a cluster takes.

The limits, as read in KFP 2.17.0 and Argo 4.0: a package has 32 MiB at most (apiserver/common/const.go);
a workflow, with its nodes packed, 1 MiB (Argo's workflow/packer/packer.go), so that etcd takes it; Linux
takes 128 KiB in one argument, and drivers and launchers are given components, the run's parameters and the
executor's input as one argument each (v2/compiler/argocompiler/{dag,container}.go, v2/driver/driver.go).
"""

import base64
import gzip
import json
import subprocess
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput

from components.ingestion.carry import carry_files
from components.ingestion.stores import FoundFile
from components.training.config import TrainingConfig
from components.training.propose import propose_points
from components.training.search import plan_search
from pipelines.build import Build
from pipelines.compiling.package import package_text
from pipelines.room_parameters import check_room_parameters
from pipelines.wide_rounds import MOST_TASKS

ARGUMENT, WORKFLOW, UPLOAD = 128 * 1024 - 1, 1024 * 1024, 32 * 1024 * 1024  # bytes
COLUMNS = [f"measurement_{number:03d}" for number in range(200)]
TRIALS = 100
# Every column is named wherever a column can be.
PARAMETERS: dict[str, Any] = {
    "sources": {"t": [f"s3://bucket/raw/table/2013-{month:02d}/*.parquet" for month in range(1, 13)]},
    "label": "label",
    "query": f"SELECT {', '.join(COLUMNS)}, label FROM t WHERE label IS NOT NULL",  # noqa: S608 - not run
    "features": {name: {"encoding": "number", "clip_share": 0.01} for name in COLUMNS},
    "slices": COLUMNS[:20],
    "ingestion": {"types": dict.fromkeys(COLUMNS, "float")},
    "validation": {"columns": {name: {"min": -1000.0, "max": 1000.0} for name in COLUMNS}},
    "trials": TRIALS,
    "sampler": "random",
    "seed": 7,
}
STORE = {
    "Provider": "minio",
    "Params": {
        "accessKeyKey": "accesskey", "disableSSL": "true", "endpoint": "minio-service.kubeflow:9000",
        "fromEnv": "false", "region": "minio", "secretKeyKey": "secretkey",
        "secretName": "mlpipeline-minio-artifact",
    },
}  # fmt: skip
ROOT = "minio://mlpipeline/v2/artifacts/training/5f0b5b0e-7f0a-4d5e-9f39-2f6f0c0f9e11"


def artifact(task: str, port: str, title: str) -> dict[str, Any]:
    """An artifact as KFP's driver hands it on, with all that is kept of it in ML Metadata."""
    metadata = {
        "display_name": port,
        "store_session_info": json.dumps(STORE),
        "trial": 17.0,
        "loss": 0.6931471,
    }
    kind = {"schemaTitle": f"system.{title}", "schemaVersion": "0.0.1"}
    uri = f"{ROOT}/{task}/b7d21f0e-3f0b-4a52-8f0d-0d7d8a1c2b3e/{port}"
    return {"name": "12345", "uri": uri, "type": kind, "metadata": metadata}


def executor_input(parameters: dict[str, Any], artifacts: dict[str, list[dict[str, Any]]]) -> str:
    """The JSON of KFP's own message."""
    content = {
        "inputs": {
            "parameterValues": parameters,
            "artifacts": {port: {"artifacts": many} for port, many in artifacts.items()},
        },
        "outputs": {
            "outputFile": "/tmp/kfp_outputs/output_metadata.json",  # noqa: S108 - KFP's own
            "artifacts": {
                port: {"artifacts": [artifact("a-task-with-a-name", port, "Artifact")]}
                for port in ("metrics", "classification_metrics", "evaluation", "golden_requests", "report")
            },
        },
    }
    return json_format.MessageToJson(json_format.ParseDict(content, ExecutorInput()), indent=None)


def identities(files: int) -> dict[str, Any]:
    """What `resolve_sources` gives for files in a bucket, each of a path as long as stores allow."""
    folder = "s3://bucket/" + "x" * 1000
    return carry_files(
        {"t": [FoundFile(uri=f"{folder}/{n}", identity=f"etag {n}", bytes=n) for n in range(files)]}
    )


def batches(trials: int) -> list[Any]:
    search = plan_search(
        {}, trials=trials, sampler="random", seed=7, trials_per_task=1, rounds=1, config=TrainingConfig()
    )
    return propose_points(search)


@pytest.fixture(scope="module")
def packages() -> list[str]:
    return [package_text("training", Build(rounds=rounds)) for rounds in (1, 10)]


def test_packages_and_each_component_of_them_fit(packages: list[str]):
    for package in packages:
        spec, platform = yaml.safe_load_all(package)
        assert len(package.encode()) < UPLOAD / 10
        assert len(json.dumps([spec, platform])) < WORKFLOW / 2
        executors = spec["deploymentSpec"]["executors"]
        settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        arguments = [spec["root"], *spec["components"].values(), *executors.values(), *settings.values()]
        assert max(len(json.dumps(one)) for one in arguments) < ARGUMENT / 2


def test_parameters_that_name_two_hundred_columns_are_legal_and_fit_into_one_argument():
    check_room_parameters(PARAMETERS)
    asked = executor_input(PARAMETERS, {"snapshot": [artifact("ingest", "snapshot", "Artifact")]})
    assert len(asked.encode()) < ARGUMENT / 2


@pytest.mark.parametrize("files", [60, 10_000])
def test_ten_thousand_files_beside_two_hundred_columns_fit_into_one_argument(files: int):
    asked = executor_input({**PARAMETERS, "identities": identities(files)}, {})
    assert subprocess.run(["/bin/true", asked]).returncode == 0
    assert len(asked.encode()) < ARGUMENT * 0.9


def test_the_models_of_the_widest_round_fit_into_one_argument_as_linux_sees_it():
    models = [artifact("train-trials", "model", "Model") for _ in range(MOST_TASKS)]
    asked = executor_input({"options": {}}, {"models": models})
    assert subprocess.run(["/bin/true", asked]).returncode == 0
    assert len(asked.encode()) < ARGUMENT * 0.95
    with pytest.raises(OSError, match="Argument list too long"):  # or this test could not fail
        subprocess.run(["/bin/true", "x" * (ARGUMENT + 1)])


def test_the_plan_of_a_hundred_trials_is_a_parameter_as_any_other():
    assert len(json.dumps(batches(TRIALS))) < ARGUMENT


def test_nodes_of_a_hundred_trials_are_packed_into_a_workflow(packages: list[str]):
    spec, platform = yaml.safe_load_all(packages[0])
    container = spec["deploymentSpec"]["executors"]["exec-train-trials"]["container"]
    component, config = spec["components"]["comp-train-trials"], platform["platforms"]["kubernetes"]
    taken = {
        port: [artifact("data-validation", port, "Artifact")]
        for port in ("transformed_examples", "transform_graph", "schema", "statistics", "snapshot", "start")
    }
    nodes: list[Any] = []
    for number, batch in enumerate(batches(TRIALS)):
        asked = executor_input({"batch": batch, "options": {}}, taken)
        patch = json.dumps({"containers": [{**container, "executor_input": asked, "component": component}]})
        driver = {"component": component, "container": container, "config": config, "iteration": number}
        # Of each iteration: its own graph, the driver, and the executor with the graph around it.
        nodes += [driver, {"inputs": driver, "outputs": patch}, {"inputs": patch}, {"inputs": patch}]
        nodes[-4:] = [
            {"id": f"training-xyzab-{number}-{part}", "node": node} for part, node in enumerate(nodes[-4:])
        ]
    packed = base64.b64encode(gzip.compress(json.dumps(nodes).encode()))  # as Argo's packer does it
    assert len(packed) + len(json.dumps([spec, platform])) < WORKFLOW / 2

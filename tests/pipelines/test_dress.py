"""Each task asks the cluster for what the build options say; what is read here is what KFP will read."""

from pathlib import Path

import pytest
import yaml

from pipelines.build import Build
from pipelines.compiling.package import PIPELINES, package_text
from pipelines.inputs import INPUTS
from pipelines.local.reading import read_package


def compiled(**options) -> tuple[dict, dict, dict]:
    """Tasks of the root graph; containers and settings for Kubernetes, both by task of any graph."""
    spec, platform = yaml.safe_load_all(package_text("training", Build(**options)))
    labels, tasks = {}, {}
    for graph in [spec["root"], *spec["components"].values()]:
        tasks |= graph.get("dag", {}).get("tasks", {})
    for name, task in tasks.items():
        labels[name] = spec["components"][task["componentRef"]["name"]].get("executorLabel")
    executors = spec["deploymentSpec"]["executors"]
    settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    leaves = {name: label for name, label in labels.items() if label}
    containers = {name: executors[label]["container"] for name, label in leaves.items()}
    return tasks, containers, {name: settings[label] for name, label in leaves.items()}


@pytest.fixture(scope="module")
def default() -> tuple[dict, dict, dict]:
    return compiled()


def test_no_task_is_without_bounds_names_or_a_user(default):
    _, containers, settings = default
    assert set(containers) == set(settings)
    assert len(containers) == 12
    for name, container in containers.items():
        asked = {key for key in container["resources"] if key.startswith("resource")}
        wanted = {f"resource{what}{end}" for what in ("Cpu", "Memory") for end in ("Request", "Limit")}
        assert asked == wanted, name
        assert int(settings[name]["activeDeadlineSeconds"]) > 0
        assert settings[name]["podMetadata"]["labels"]["app.kubernetes.io/part-of"] == "millrace"
        user = {"runAsUser": "65532", "runAsGroup": "65532", "runAsNonRoot": True}
        assert settings[name]["securityContext"] == user


def test_the_dashboard_calls_each_task_by_another_name_and_gates_by_theirs(default):
    tasks, containers, _ = default
    names = [tasks[task]["taskInfo"]["name"] for task in containers]
    assert len(set(names)) == len(names)
    assert {"data-gate", "model-gate"} < set(names)


def test_only_what_asks_the_world_is_tried_again_and_never_cached(default):
    tasks, containers, _ = default
    retried = {name for name, task in tasks.items() if "retryPolicy" in task}
    assert retried == {"resolve-sources", "ingest", "resolve-baseline"}
    assert tasks["ingest"]["retryPolicy"] == {
        "maxRetryCount": 2, "backoffDuration": "5s", "backoffFactor": 2.0, "backoffMaxDuration": "3600s",
    }  # fmt: skip
    fresh = {name for name in containers if not tasks[name]["cachingOptions"].get("enableCache")}
    assert fresh == {"resolve-sources", "resolve-baseline", "deploy-model"}


def test_each_secret_reaches_its_tasks_alone_and_may_be_missing(default):
    _, _, settings = default
    with_store = {name for name, one in settings.items() if "secretAsEnv" in one}
    with_token = {name for name, one in settings.items() if "secretAsVolume" in one}
    assert with_store == {"resolve-sources", "ingest", "train-trials"}
    assert with_token == {"deploy-model"}
    given = [one for each in settings.values() for one in each.get("secretAsEnv", [])]
    given += settings["deploy-model"]["secretAsVolume"]
    assert all(one["optional"] for one in given)


def test_without_names_of_secrets_there_are_none():
    _, _, settings = compiled(store_secret=None, deployer_secret=None)
    assert not [name for name, one in settings.items() if "secretAsEnv" in one or "secretAsVolume" in one]


def test_a_door_wins_over_its_room_and_a_room_over_every_task():
    tasks = {
        "every": {"labels": {"team": "a"}, "timeout_seconds": 60},
        "training": {"timeout_seconds": 70, "cpu_limit": 3},
        "train_trials": {"timeout_seconds": 80},
    }
    _, containers, settings = compiled(tasks=tasks)
    seen = {name: int(settings[name]["activeDeadlineSeconds"]) for name in settings}
    assert (seen["ingest"], seen["select-best"], seen["train-trials"]) == (60, 70, 80)
    assert containers["train-trials"]["resources"]["resourceCpuLimit"] == "3"
    assert all(one["podMetadata"]["labels"]["team"] == "a" for one in settings.values())


def test_an_accelerator_brings_its_image_and_is_asked_for_by_one_door_alone():
    images = {"millrace/modelling-gpu": "r.example/gpu@sha256:1"}
    asked = {"train_trials": {"accelerator": "nvidia.com/gpu", "accelerators": 2}}
    _, containers, _ = compiled(tasks=asked, images=images)
    gpu = containers["train-trials"]
    assert gpu["image"] == "r.example/gpu@sha256:1"
    assert gpu["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert gpu["resources"]["accelerator"]["resourceCount"] == "2"
    assert containers["select-best"]["image"] == "millrace/modelling"
    assert "accelerator" not in containers["select-best"]["resources"]


def test_nodes_taints_volumes_and_variables_are_those_of_the_build_file():
    room = {
        "node_selector": {"pool": "ml"},
        "tolerations": [{"key": "ml", "operator": "Exists", "effect": "NoSchedule"}],
        "volumes": [
            {"path": "/data", "claim": "raw", "sub_path": "x"},
            {"path": "/scratch", "size": "5Gi", "medium": "Memory"},
        ],
        "variables": {"AWS_ENDPOINT_URL": "http://store:9000"},
    }
    _, containers, settings = compiled(tasks={"ingestion": room})
    found = settings["ingest"]
    assert found["nodeSelector"] == {"labels": {"pool": "ml"}}
    assert found["tolerations"] == [{"key": "ml", "operator": "Exists", "effect": "NoSchedule"}]
    assert (
        found["pvcMount"][0] | {"mountPath": "/data", "constant": "raw", "subPath": "x"}
        == found["pvcMount"][0]
    )
    assert found["emptyDirMounts"] == [
        {"volumeName": "empty-1", "mountPath": "/scratch", "medium": "Memory", "sizeLimit": "5Gi"}
    ]
    assert containers["ingest"]["env"] == [{"name": "AWS_ENDPOINT_URL", "value": "http://store:9000"}]
    assert not {"nodeSelector", "tolerations", "pvcMount"} & set(settings["evaluate"])


def test_every_input_and_output_tells_people_what_it_is(default):
    specs = [next(yaml.safe_load_all(package_text(name, Build()))) for name in PIPELINES]
    ports = {
        name: about
        for spec in specs
        for name, about in spec["root"]["inputDefinitions"]["parameters"].items()
    }
    assert set(ports) == set(INPUTS)
    spec = specs[0]
    for name, component in spec["components"].items():
        if "executorLabel" in component:
            for way in ("inputDefinitions", "outputDefinitions"):
                for kind in component.get(way, {}).values():
                    ports |= {f"{name}.{port}": about for port, about in kind.items()}
    assert [port for port, about in ports.items() if not about.get("description")] == []


def test_each_step_that_finds_something_out_has_a_picture_for_the_dashboard():
    spec = next(yaml.safe_load_all(package_text("training", Build())))
    pictures = {"system.HTML", "system.Metrics", "system.ClassificationMetrics"}
    shown: dict[str, set[str]] = {}
    for name, component in spec["components"].items():
        ports = component.get("outputDefinitions", {}).get("artifacts", {}).values()
        shown[name.removeprefix("comp-")] = {one["artifactType"]["schemaTitle"] for one in ports} & pictures
    assert shown["evaluate"] == pictures
    assert shown["train-trials"] == {"system.HTML", "system.Metrics"}
    for name in ("data-validation", "transform", "select-best"):
        assert shown[name] == {"system.HTML"}


def test_memory_and_time_that_are_asked_for_hold_on_this_machine_too(tmp_path: Path):
    (tmp_path / "p.yaml").write_text(package_text("screening", Build()))
    task = read_package(tmp_path / "p.yaml").graph.tasks["data-validation"]
    assert (task.work.memory_bytes, task.work.timeout) == (2**30, 14_400)

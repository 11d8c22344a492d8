"""Every pod that Millrace causes, before a namespace that enforces *restricted*; `pods.py` makes them."""

import copy

import pytest
import yaml

from pipelines.build import Build
from pipelines.compiling.manifests import manifests as pipeline_manifests
from pipelines.compiling.package import PIPELINES, package_text
from tests.cluster.conftest import count_quota
from tests.cluster.definitions import folder_of
from tests.cluster.pods import executor_pods, server_pod
from tests.house import ROOT

pytestmark = pytest.mark.cluster

ALL_OPTIONS = {
    "every": {
        "node_selector": {"pool": "ml"}, "tolerations": [{"key": "ml", "operator": "Exists"}],
        "volumes": [{"path": "/data", "claim": "raw"}, {"path": "/scratch", "size": "10Gi"}],
        "variables": {"AWS_ENDPOINT_URL": "http://seaweedfs.kubeflow:9000"},
    },
    "train_trials": {"accelerator": "nvidia.com/gpu"},
}  # fmt: skip
REQUIRED = ("allowPrivilegeEscalation", "capabilities", "runAsNonRoot")  # of each container
REFUSED = 'violates PodSecurity "restricted:latest"'


def _executor_pods(build: Build) -> dict[str, dict]:
    return {
        f"{name} {task}": pod
        for name in PIPELINES
        for task, pod in executor_pods(pipeline_manifests(package_text(name, build))[1]).items()
    }


EXECUTORS = _executor_pods(Build())
FULL = {f"{name}, all options": pod for name, pod in _executor_pods(Build(tasks=ALL_OPTIONS)).items()}


def _kind(pod):
    """What tells pods of tasks apart but for amounts: their volumes, secrets and devices."""
    main = pod["spec"]["containers"][-1]
    volumes = {key for one in pod["spec"]["volumes"] for key in one if key != "name"}
    secrets = any("valueFrom" in one for one in main["env"])
    return frozenset(volumes), secrets, frozenset(main["resources"]["limits"])


KINDS = {_kind(pod): name for name, pod in reversed({**EXECUTORS, **FULL}.items())}


@pytest.fixture(scope="module")
def server(cluster, standing):
    """The pod of a server, with KServe's container that fetches models as our patch makes it."""
    default = _kserves_storage()
    assert (answer := cluster.apply([default])).ok, answer.error
    patch = ROOT / "manifests" / "platform" / "storage-initializer.yaml"
    arguments = ("--type=merge", f"--patch-file={patch}", "--output=json")
    patched = cluster.kubectl("patch", "clusterstoragecontainer", "default", *arguments)
    yield server_pod(_runtime(standing), patched.json()["spec"]["container"])
    cluster.delete([default])


def _kserves_storage():
    file = folder_of("github.com/kserve/kserve") / "config/storagecontainers/default.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _runtime(objects):
    return next(one for one in objects if one["kind"] == "ServingRuntime")


def _without(pod, container, field):
    changed = copy.deepcopy(pod)
    containers = [*changed["spec"].get("initContainers", ()), *changed["spec"]["containers"]]
    del next(each for each in containers if each["name"] == container)["securityContext"][field]
    return changed


def _without_seccomp(pod, container):
    changed = _without(pod, container, "seccompProfile")
    changed["spec"].pop("securityContext", None)
    return changed


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.usefixtures("standing")
def test_an_executor_pod_is_admitted_and_refused_as_what_could_be_root(cluster, name):
    assert (answer := cluster.create_pod(EXECUTORS[name])).ok, answer.error
    answer = cluster.create_pod(_without(EXECUTORS[name], "main", "runAsNonRoot"))
    assert REFUSED in answer.error
    assert "runAsNonRoot" in answer.error


@pytest.mark.parametrize("field", [*REQUIRED, "seccompProfile"])
@pytest.mark.parametrize("container", ["init", "kfp-launcher", "wait", "main"])
@pytest.mark.parametrize("name", KINDS.values())
@pytest.mark.usefixtures("standing")
def test_an_executor_pod_of_each_kind_is_refused_without_any_field_of_any_container(
    cluster, name, container, field
):
    pod = {**EXECUTORS, **FULL}[name]
    changed = (
        _without_seccomp(pod, container) if field == "seccompProfile" else _without(pod, container, field)
    )
    answer = cluster.create_pod(changed)
    assert REFUSED in answer.error
    assert field in answer.error


@pytest.mark.parametrize("name", FULL)
def test_pods_with_all_build_options_are_admitted_once_the_option_gpu_gives_accelerators(
    cluster, standing, manifests, build, name
):
    if "train-trials" in name:
        answer = cluster.create_pod(FULL[name])
        assert "exceeded quota: runs, requested: requests.nvidia.com/gpu=1" in answer.error
        _raise_quota(cluster, manifests, build)
    assert (answer := cluster.create_pod(FULL[name])).ok, answer.error


def _raise_quota(cluster, manifests, build):
    folder = manifests / "overlays" / "with-accelerators"
    folder.mkdir(exist_ok=True)
    text = "resources: [../../base/quota]\ncomponents: [../../options/gpu]\n"
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    objects = build("overlays/with-accelerators")
    assert cluster.apply(objects, "--force-conflicts").ok
    count_quota(cluster, next(one for one in objects if one["metadata"]["namespace"] == "millrace"))


def test_a_server_is_admitted(cluster, server):
    assert (answer := cluster.create_pod(server)).ok, answer.error


@pytest.mark.parametrize("field", [*REQUIRED, "seccompProfile"])
@pytest.mark.parametrize("container", ["kserve-container", "storage-initializer"])
def test_a_server_is_refused_without_any_field_of_any_container(cluster, server, container, field):
    answer = cluster.create_pod(_without(server, container, field))
    assert REFUSED in answer.error
    assert field in answer.error


def test_a_server_is_refused_when_kserves_own_container_is_not_patched(cluster, standing):
    answer = cluster.create_pod(server_pod(_runtime(standing), _kserves_storage()["spec"]["container"]))
    assert REFUSED in answer.error
    assert "storage-initializer" in answer.error


def test_a_server_has_a_read_only_root_no_token_and_limits(server, standing):
    container = server["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["resources"].keys() == {"requests", "limits"}
    accounts = {one["metadata"]["name"]: one for one in standing if one["kind"] == "ServiceAccount"}
    assert accounts[server["spec"]["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert server["spec"]["volumes"][0]["emptyDir"]["sizeLimit"]

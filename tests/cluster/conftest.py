"""One API server for all tests of this folder, which knows what manifests hold; and what overlays are."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from components.deployment.config import DeployConfig
from components.deployment.kserve import KServeTarget
from components.deployment.kserve_api import Kubernetes
from tests.cluster.answering import INSIDE, OUTSIDE, answering, model_behind
from tests.cluster.binaries.build import binaries
from tests.cluster.definitions import define, definitions
from tests.cluster.kserve import controlled
from tests.cluster.nodes import DEPLOYMENTS, LEASES, OWN, ROUTES, SERVICES, await_so, nodes
from tests.cluster.prometheus import prometheus
from tests.cluster.releases import routed
from tests.cluster.server import Cluster, running
from tests.house import ROOT
from tools.render_manifests import render_production

RUNTIMES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/servingruntimes.serving.kserve.io"
OVERLAYS = ("local", "staging", "production")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running API server that knows every kind our manifests hold."""
    with running(binaries(), tmp_path_factory.mktemp("cluster")) as found:
        define(found, definitions())
        yield found


@pytest.fixture(scope="session")
def manifests(tmp_path_factory):
    """A copy of manifests/ whose production was rendered too, from digests as `make push` writes them."""
    folder = tmp_path_factory.mktemp("copy") / "manifests"
    shutil.copytree(ROOT / "manifests", folder)
    lock = folder.parent / "images.lock"
    names = (path.stem for path in sorted((ROOT / "docker").glob("*.Dockerfile")))
    references = {
        f"millrace/{name}": f"registry.example/millrace/{name}@sha256:{'0' * 64}" for name in names
    }
    lock.write_text(yaml.safe_dump(references), encoding="utf-8")
    render_production(folder, lock)
    return folder


@pytest.fixture(scope="session")
def build(cluster, manifests):
    """What kustomize makes of a folder of manifests, or of a kustomization that is given."""

    def kustomize(path: str | Path) -> list[dict]:
        answer = cluster.kubectl("kustomize", str(manifests / path))
        assert answer.ok, answer.error
        return [one for one in yaml.load_all(answer.out, yaml.CSafeLoader) if one]

    return kustomize


@pytest.fixture(scope="session")
def kserve(tmp_path_factory):
    """An API server of its own with KServe's controller at work."""
    folder = tmp_path_factory.mktemp("kserve")
    with running(binaries(), folder) as found, controlled(found, folder):
        yield found


@pytest.fixture
def played(kserve):
    """Nodes of that cluster; how a model behaves is up to the test."""
    with nodes(kserve) as found:
        yield found


@pytest.fixture(scope="session")
def installed(kserve):
    """What staging installs, on the cluster of KServe's controller."""
    answer = kserve.kubectl("kustomize", str(ROOT / "manifests" / "overlays" / "staging"))
    objects = [one for one in yaml.load_all(answer.out, yaml.CSafeLoader) if one]
    answer = kserve.apply(objects, "--force-conflicts")
    assert answer.ok, answer.error
    for one in objects:
        if one["kind"] == "ResourceQuota":
            count_quota(kserve, one)
    answer = kserve.apply([_store_secret()])
    assert answer.ok, answer.error
    return kserve


def _store_secret() -> dict:
    """The keys of KFP's store, made as manifests/README.md says; KServe's webhook refuses pods without."""
    told = {
        "serving.kserve.io/s3-endpoint": "seaweedfs.kubeflow:9000",
        "serving.kserve.io/s3-usehttps": "0",
    }
    about = {"name": "millrace-store", "namespace": "millrace-serving", "annotations": told}
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": keys}


@pytest.fixture(scope="session")
def cluster_of(installed, tmp_path_factory):
    """The API in an account's name, by a token of its own."""

    def connect(account="millrace-deployer", namespace="millrace"):
        from kubernetes import client, config

        token = installed.kubectl("create", "token", account, f"--namespace={namespace}").out.strip()
        told = yaml.safe_load(installed.config.read_text(encoding="utf-8"))
        told["users"][0]["user"] = {"token": token}
        configuration = client.Configuration()
        config.load_kube_config_from_dict(told, client_configuration=configuration)
        configuration.retries = False
        return Kubernetes(client.ApiClient(configuration))

    return connect


@pytest.fixture
def target_of(cluster_of, played, monkeypatch):
    """The target `kserve` with knobs, in the deployer's name; what it deployed is gone afterwards."""
    monkeypatch.setattr("components.deployment.kserve._SECONDS_BETWEEN", 0.1)

    def make(*, cluster=None, **knobs):
        config = DeployConfig(target="kserve", **{"timeout_seconds": 60.0, **knobs})
        return KServeTarget(cluster or cluster_of(), config)

    yield make
    for one in played.ask("GET", OWN)["items"]:
        path = f"{OWN}/{one['metadata']['name']}"
        played.ask("PATCH", path, {"metadata": {"finalizers": []}}, "merge-patch+json")
        played.ask("DELETE", path)
    for folder in (DEPLOYMENTS, SERVICES, ROUTES, LEASES):
        played.ask("DELETE", folder)


@pytest.fixture(scope="session")
def pods(tmp_path_factory):
    """Servers of two models in the places of pods."""
    with answering(tmp_path_factory.mktemp("pods")) as found:
        yield found


@pytest.fixture
def named(pods, played, monkeypatch):
    """Names of the cluster, and of its gateway, lead to the servers of the models that are behind them."""
    known = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        if not str(host).endswith((INSIDE, OUTSIDE)):
            return known(host, port, *rest, **more)
        return known("127.0.0.1", pods.ports[model_behind(played, str(host))], *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def deployer(installed, target_of, tmp_path, monkeypatch):
    """The deployer's token where commands and doors look for it; what they deployed is gone afterwards."""
    token = installed.kubectl("create", "token", "millrace-deployer", "--namespace=millrace").out.strip()
    told = yaml.safe_load(installed.config.read_text(encoding="utf-8"))
    told["users"][0]["user"] = {"token": token}
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(told), encoding="utf-8")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(config))
    monkeypatch.delenv("MILLRACE_SUPERVISOR", raising=False)
    return config


@pytest.fixture
def counts(played):
    """A Prometheus that counts what is asked by the shares of the moment."""
    with prometheus(lambda: routed(played)) as found:
        yield found


@pytest.fixture
def routing(installed, played):
    """The schema that tells of KServe 0.21; the controller is 0.20 all the same, and routes nothing."""
    found = played.ask("GET", RUNTIMES)
    spec = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    spec["resourceClaims"] = {"type": "array", "items": {"type": "object"}}
    played.ask("PUT", RUNTIMES, found)
    await_so(lambda: "resourceClaims" in str(played.ask("GET", _schema(played))))
    yield
    found = played.ask("GET", RUNTIMES)
    spec = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del spec["resourceClaims"]
    played.ask("PUT", RUNTIMES, found)
    await_so(lambda: "resourceClaims" not in str(played.ask("GET", _schema(played))))


def _schema(played):
    return played.ask("GET", "/openapi/v3")["paths"]["apis/serving.kserve.io/v1alpha1"]["serverRelativeURL"]


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request, build):
    """All objects of an overlay."""
    return build(f"overlays/{request.param}")


@pytest.fixture(scope="module")
def standing(cluster, build):
    """The overlay of staging, applied, its quotas counted as the controller would that is not here."""
    objects = build("overlays/staging")
    answer = cluster.apply(objects)
    assert answer.ok, answer.error
    for one in objects:
        if one["kind"] == "ResourceQuota":
            count_quota(cluster, one)
    yield objects
    cluster.delete(objects)


def count_quota(cluster: Cluster, quota: dict) -> None:
    """Say that a quota is in force and nothing of it used."""
    hard, about = quota["spec"]["hard"], quota["metadata"]
    status = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
    answer = cluster.kubectl(
        "patch", "resourcequota", about["name"], f"--namespace={about['namespace']}",
        "--subresource=status", "--type=merge", f"--patch={json.dumps(status)}",
    )  # fmt: skip
    assert answer.ok, answer.error

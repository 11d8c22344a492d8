"""One API server for all tests of this folder, which knows what manifests hold; and what overlays are."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cluster.binaries.build import binaries
from tests.cluster.definitions import define, definitions
from tests.cluster.kserve import controlled
from tests.cluster.nodes import nodes
from tests.cluster.server import Cluster, running
from tests.house import ROOT
from tools.render_manifests import render_production

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

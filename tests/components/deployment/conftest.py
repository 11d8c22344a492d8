"""Tiny models, and a supervisor that the environment names, as a run has it."""

import json
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.common.artifacts import Snapshot, write_snapshot
from components.common.golden import write_golden_requests
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from pipelines.local.serving.client import start_detached
from tests.components.deployment.watched import revision_of
from tests.tiny_model import golden_rows, write_tiny_model

BROKEN_SEATS = 7  # what no golden request asks


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "first": write_tiny_model(root / "first"),
        "second": write_tiny_model(root / "second", weight=2.0),
        "unstartable": write_tiny_model(root / "unstartable", weight=3.0, golden_weight=1.0),
        "weak": write_tiny_model(root / "weak", weight=0.1, passed=False),
    }


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """Folders of golden requests by the weight of the model that answered them."""
    folders = {weight: tmp_path_factory.mktemp("golden") for weight in (1.0, 2.0, 3.0)}
    for weight, folder in folders.items():
        write_golden_requests(folder, golden_rows(weight))
    return folders


@pytest.fixture(scope="session")
def running_supervisor(tmp_path_factory):
    started = start_detached(tmp_path_factory.mktemp("root"), 18_700)
    yield started
    started.stop()


@pytest.fixture
def supervisor(running_supervisor, monkeypatch):
    monkeypatch.setenv("MILLRACE_SUPERVISOR", str(running_supervisor.file))
    return running_supervisor


@pytest.fixture
def serving(supervisor):
    """Return what serves a name: a function to its description, with `revisions` by name."""

    def describe(name):
        found = [one for one in supervisor.endpoints() if one["name"] == name]
        return SimpleNamespace(**found[0]) if found else None

    return describe


@pytest.fixture(scope="session")
def flawed(tmp_path_factory):
    """Models that answer their golden requests as recorded, and are no better for it."""
    root = tmp_path_factory.mktemp("flawed")
    return {
        "failing": write_tiny_model(root / "failing", weight=1.01, broken_seats=BROKEN_SEATS),
        "slow": write_tiny_model(root / "slow", weight=1.02),
        "other": write_tiny_model(root / "other", weight=-1.0),
    }


@pytest.fixture
def old(models, golden, serving, tmp_path, supervisor, request):
    """The first model with all requests of a name of this test's own; returns (name, revision)."""
    name = "old-" + str(zlib.crc32(request.node.name.encode()))
    config = DeployConfig(target="local")
    deploy(models["first"], golden[1.0], tmp_path / "old", model_name=name, config=config)
    yield name, revision_of(models["first"])
    if serving(name):
        supervisor.stop(name)


@pytest.fixture
def snapshot(tmp_path):
    folder = tmp_path / "snapshot"
    empty = {"sources": {}, "query": None, "split": {}, "rows": {}, "columns": {}}
    write_snapshot(folder, Snapshot(version="v1", **empty))
    return folder


@pytest.fixture
def port(tmp_path):
    """Make what KFP gives a door: a path that does not exist yet, the same as uri, and metadata."""

    def make(name, path=None):
        found = str(path or Path(tmp_path, name))
        return SimpleNamespace(path=found, uri=found, metadata={})

    return make


def read(path):
    return json.loads(Path(path).read_text())

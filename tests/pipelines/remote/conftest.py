"""A small pipeline on a Kubeflow that is played, and the command as people call it."""

# ruff: noqa: B006 - doors are one-liners here, in the types that KFP takes

import sys
from dataclasses import dataclass
from functools import partial

import pytest
from kfp import client, compiler, dsl

from pipelines.cli import main
from pipelines.local.reading import read_package
from pipelines.remote import logs, watching
from tests.pipelines.remote.server import Serving

door = partial(dsl.component, base_image="registry.example/tools@sha256:00", install_kfp_package=False)


@door
def prepare(rows: int, table: dsl.Output[dsl.Dataset], options: dict = {}) -> list[dict]:
    return []


@door
def train(batch: dict, table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    pass


@door
def choose(models: dsl.Input[list[dsl.Model]], best: dsl.Output[dsl.Model]) -> bool:
    return True


@door
def halt(unless: bool):
    pass


@dsl.pipeline(name="line", description="Trains a few.")
def line(rows: int, options: dict = {"most": 3}, note: str = "none"):
    data = prepare(rows=rows, options=options).set_retry(2)
    with dsl.ParallelFor(data.outputs["Output"], parallelism=2, name="trials") as batch:
        trained = train(batch=batch, table=data.outputs["table"])
    best = choose(models=dsl.Collected(trained.outputs["model"]))
    halt(unless=best.outputs["Output"])


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "line.yaml"
    compiler.Compiler().compile(line, str(path))
    return path


@pytest.fixture(scope="session")
def plan(package):
    return read_package(package)


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    """A Kubeflow on loopback; what it was asked and answered is of KFP's API."""
    monkeypatch.setattr(client.Client, "_LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    monkeypatch.setattr("pipelines.remote.api.WAITS_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(logs, "PAUSE_SECONDS", 0.01)
    with Serving() as serving:
        yield serving
    assert serving.api.problems == []


@dataclass
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def millrace(kubeflow, monkeypatch, capsys, tmp_path):
    """The command, told where Kubeflow is."""
    monkeypatch.chdir(tmp_path)

    def call(*words, host=None):
        monkeypatch.setattr(sys, "argv", ["millrace", *map(str, words), "--host", host or kubeflow.url])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Said(ended.value.code or 0, said.out, said.err)

    return call

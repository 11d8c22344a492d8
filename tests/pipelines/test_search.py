"""Searches that go wrong, trained for real on a tiny table: under our runner and stock `kfp.local`."""

import json
import os
import sys
from pathlib import Path

import pytest
from kfp import compiler, dsl, local
from kfp.local import config

from components.common.artifacts import read_model_record
from components.common.images import image
from pipelines.build import Build
from pipelines.local.runner import run_package
from pipelines.search import search
from tests.components.training.conftest import _prepare

# By `units`: a crash, a process that never ends, a loss that is no number; others learn.
POISON = """
import os
import time

import keras


def build_model(features, task, classes, hyperparameters):
    units = hyperparameters["units"]
    if units < 4:
        os._exit(7)
    if units == 4:
        time.sleep(10_000)
    names = {"number": "numbers", "index": "indices"}
    inputs = {
        name: keras.Input((sum(feature["encoding"] == one for feature in features),), name=name)
        for one, name in names.items()
    }
    bias = keras.initializers.Constant(float("nan") if units == 5 else 0.0)
    return keras.Model(inputs, keras.layers.Dense(1, bias_initializer=bias)(inputs["numbers"]))
"""


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def bring(root: str, name: str, data: dsl.Output[dsl.Artifact]):
    """Copy a folder into an artifact."""
    import shutil

    shutil.copytree(f"{root}/{name}", data.path)


def define(build: Build):
    names = {
        "transformed_examples": "transformed", "transform_graph": "graph", "schema": "schema",
        "statistics": "statistics", "snapshot": "snapshot",
    }  # fmt: skip

    @dsl.pipeline(name="poisoned-search")
    def pipeline(root: str, module_uri: str, space: dict, trials: int, options: dict):
        brought = {port: bring(root=root, name=name).outputs["data"] for port, name in names.items()}
        search(
            build,
            asked={"search_space": space, "trials": trials, "sampler": "grid", "seed": 0},
            made_from={**brought, "module_uri": module_uri}, options=options,
        )  # fmt: skip

    return pipeline


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poisoned")
    (folder / "module.py").write_text(POISON)
    _prepare(folder, "binary")
    return {"root": str(folder), "module_uri": str(folder / "module.py")}


def space(*units):
    return {"units": {"choices": list(units)}, "epochs": 1, "learning_rate": 0.01}


def check_board(file, written):
    """Three trials crash, one hangs, one loss is no number: the sixth is the best, and all are told of."""
    board = json.loads(file.read_text())
    rows = {row["hyperparameters"]["units"]: row for row in board["rows"]}
    assert {units for units, row in rows.items() if row["state"] == "complete"} == {6}
    assert all("status 7" in rows[units]["error"] for units in (1, 2, 3))
    assert rows[4]["error"] == "took longer than 45 seconds and was killed"
    assert "became NaN" in rows[5]["error"]
    assert read_model_record(written("best_model")).hyperparameters["units"] == 6
    assert all(row["error"] in written("report").read_text() for row in board["rows"] if row["error"])
    assert board["reference"]["auc"] > 0.9


POISONED = {
    "space": space(1, 2, 3, 4, 5, 6), "trials": 6,
    "options": {"trial_timeout_seconds": 45, "max_replacements": 0},
}  # fmt: skip


def test_a_poisoned_search_gives_the_best_of_the_rest_and_says_what_happened(given, tmp_path):
    compiler.Compiler().compile(define(Build(rounds=2, trials_per_task=3)), str(tmp_path / "p.yaml"))
    parameters = {**given, **POISONED}
    result = run_package(tmp_path / "p.yaml", parameters, root=tmp_path / "runs", on_event=lambda _: None)
    assert result.state == "SUCCEEDED", result.error
    written = {port: Path(one["uri"]) for port, one in result.outputs["select-best"].items()}
    check_board(written["leaderboard"] / "leaderboard.json", written.__getitem__)


def test_stock_runner_ends_a_poisoned_search_alike(given, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner, pipeline_root=str(tmp_path / "stock"), raise_on_error=True, enable_caching=False)
    try:
        define(Build(trials_per_task=3))(**given, **POISONED)
    finally:
        config.LocalExecutionConfig.instance = None
    (board_file,) = (tmp_path / "stock").rglob("leaderboard.json")
    check_board(board_file, board_file.parent.parent.joinpath)

"""The pipelines about models that are there: released, promoted and rolled back by runs on this machine."""

from pathlib import Path

import pytest
import yaml

from components.common.errors import BadInputError
from components.common.seal import model_digest
from pipelines.build import Build
from pipelines.checks.check import check_files
from pipelines.compiling.package import compile_pipeline, package_text
from pipelines.execution import Request, run_request
from pipelines.local.reading import read_package
from pipelines.local.serving.client import find_supervisor
from pipelines.local.walks import leaf_tasks
from pipelines.request import prepared
from tests.tiny_model import write_tiny_model

TASKS = {"release": ["importer", "deploy-model"], "promote": ["promote"], "rollback": ["roll-back"]}


@pytest.mark.parametrize("name", TASKS)
def test_each_is_one_task_that_alone_may_deploy_and_is_never_cached(name: str, tmp_path: Path):
    package = compile_pipeline(name, Build(), tmp_path)
    assert [task.label for task in leaf_tasks(read_package(package).graph)] == TASKS[name]
    assert [found for found in check_files([str(package)]) if found.severity != "note"] == []
    spec, platform = yaml.safe_load_all(package_text(name, Build()))
    (settings,) = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    assert "secretAsVolume" in settings
    assert "secretAsEnv" not in settings
    assert not spec["root"]["dag"]["tasks"][TASKS[name][-1]]["cachingOptions"].get("enableCache")


def test_a_model_that_is_not_there_is_refused_before_anything_runs(tmp_path: Path):
    request = Request(pipeline="release", parameters={"model_uri": "nothing"}, root=tmp_path / "runs")
    with pytest.raises(BadInputError, match=r"no model lies there.*model_uri"), prepared(request):
        pass
    assert not (tmp_path / "runs").exists()


def test_runs_release_hold_promote_and_roll_back(tmp_path: Path):
    root = tmp_path / "runs"
    models = [write_tiny_model(tmp_path / "a"), write_tiny_model(tmp_path / "b", weight=2.0)]
    first, second = (model_digest(model)[:12] for model in models)

    def run(pipeline: str, **parameters):
        given = {"model_name": "m", **parameters}
        result = run_request(Request(pipeline=pipeline, parameters=given, root=root), lambda event: None)
        return result.exit_code, str(result.error)

    def weights():
        return find_supervisor(root).endpoints()[0]["weights"]

    try:
        assert run("release", model_uri=str(models[0])) == (0, "None")
        assert weights() == {first: 100}
        steps = {"steps": [25, 100], "interval_seconds": 0.1, "deadline_seconds": 0.1}
        code, told = run("release", model_uri=str(models[1]), deploy=steps)
        assert code == 3, told
        assert "millrace promote m" in told
        assert weights() == {second: 25, first: 75}
        assert run("promote")[0] == 0
        assert weights() == {second: 100}
        assert run("rollback")[0] == 0
        assert weights() == {first: 100}
    finally:
        find_supervisor(root).stop()

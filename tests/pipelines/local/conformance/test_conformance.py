"""Small pipelines with the results that KFP's own rules give; some under stock `kfp.local` too."""

import os
import sys
from pathlib import Path

import pytest
from kfp import dsl, local
from kfp.local import config

from tests.pipelines.local.conformance import flows, loops  # noqa: F401 - they fill CASES
from tests.pipelines.local.conformance.cases import CASES

BY_NAME = {case.pipeline.name: case for case in CASES}


def test_there_are_many_cases_and_none_hides_another():
    assert len(BY_NAME) == len(CASES)
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", BY_NAME)
def test_pipeline_gives_what_kfp_says(run, name):
    case = BY_NAME[name]
    result = run(case.pipeline, **case.parameters)
    assert result.state == case.state, result.error
    assert result.returned == case.returned
    assert {task.name for task in result.tasks if task.state == "SKIPPED"} == case.skipped


@pytest.fixture
def stock(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner, pipeline_root=str(tmp_path / "stock"), raise_on_error=True, enable_caching=False)
    yield
    config.LocalExecutionConfig.instance = None


@pytest.mark.parametrize("name", [name for name, case in BY_NAME.items() if case.stock])
def test_stock_runner_gives_the_same(stock, name):
    case = BY_NAME[name]
    outputs = case.pipeline(**case.parameters).outputs
    values = {port: value for port, value in outputs.items() if not isinstance(value, dsl.Artifact)}
    assert values == case.returned

"""The pipeline that holds a batch against the serving model's data."""

from pathlib import Path

import pytest

from components.common.errors import BadInputError
from pipelines.build import Build
from pipelines.checks.check import check_files
from pipelines.compiling.package import compile_pipeline
from pipelines.execution import Request
from pipelines.local.reading import read_package
from pipelines.local.walks import leaf_tasks
from pipelines.request import prepared


def test_it_trains_nothing_and_ends_red_after_the_verdict(tmp_path: Path):
    package = compile_pipeline("screening", Build(), tmp_path)
    tasks = [task.label for task in leaf_tasks(read_package(package).graph)]
    assert tasks == ["resolve-sources", "ingest", "resolve-baseline", "data-validation", "data-gate"]
    assert [found for found in check_files([str(package)]) if found.severity != "note"] == []


def test_its_parameters_are_checked_before_anything_runs(tmp_path: Path):
    parameters = {"sources": {"data": "x.csv"}, "label": "y", "validation": {"max_dirft": 0.1}}
    request = Request(pipeline="screening", parameters=parameters, root=tmp_path / "runs")
    with pytest.raises(BadInputError, match="did you mean `max_drift`"), prepared(request):
        pass
    assert not (tmp_path / "runs").exists()

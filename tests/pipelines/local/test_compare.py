"""Two runs side by side tell what differs and why."""

import json
from functools import partial

import pytest
from kfp import dsl

from components.common.code import code_digest
from components.common.errors import BadInputError
from pipelines.local.changes import Trace, reasons
from pipelines.local.compare import compare_runs

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def ingest(rows: int, snapshot: dsl.Output[dsl.Artifact]):
    from pathlib import Path

    from components.common.artifacts import Snapshot, write_snapshot

    Path(snapshot.path).mkdir()
    found = Snapshot(version=f"v{rows}", sources={}, query=None, split={}, rows={"train": rows}, columns={})
    write_snapshot(Path(snapshot.path), found)


@door
def tune(options: dict, metrics: dsl.Output[dsl.Metrics]) -> float:
    metrics.log_metric("loss", options["rate"] * 2)
    return options["rate"]


@door
def evaluate(snapshot: dsl.Input[dsl.Artifact], value: float, evaluation: dsl.Output[dsl.Artifact]):
    from pathlib import Path

    from components.common.artifacts import Evaluation, write_evaluation

    Path(evaluation.path).mkdir()
    found = Evaluation(
        recipe="r", model="m", baseline=None, rows=9, slices=[], thresholds={}, passed=True, reasons=[],
        metrics={"auc": {"value": value, "low": value - 0.1, "high": value + 0.1}},
    )  # fmt: skip
    write_evaluation(Path(evaluation.path), found)


@dsl.pipeline(name="judged")
def judged(rows: int, options: dict):
    data = ingest(rows=rows)
    evaluate(snapshot=data.outputs["snapshot"], value=tune(options=options).outputs["Output"])


@pytest.fixture
def compared(run, root):
    first = run(judged, rows=100, options={"rate": 0.5, "depth": 2})
    second = run(judged, rows=100, options={"rate": 0.75, "depth": 2})
    return compare_runs(root, first.run_id, second.run_id)


def test_only_parameters_that_differ_are_listed_with_the_key_inside(compared):
    assert [tuple(found) for found in compared.parameters] == [("options.rate", 0.5, 0.75)]


def test_metrics_stand_side_by_side_with_intervals_and_difference(compared):
    content = json.loads(json.dumps(compared.as_dict()))
    auc, loss = content["metrics"]
    assert (auc["name"], auc["difference"]) == ("auc", 0.25)
    assert auc["first"] == {"value": 0.5, "low": 0.4, "high": 0.6}
    assert (loss["name"], loss["first"]["value"], loss["difference"]) == ("tune: loss", 1.0, 0.5)


def test_each_task_says_what_it_was_asked_for_differently(compared):
    changed = {found.name: found.changed for found in compared.tasks}
    assert changed == {"ingest": [], "tune": ["parameter options"], "evaluate": ["parameter value"]}
    assert compared.data[0].first == compared.data[0].second == {"version": "v100", "rows": {"train": 100}}


def test_other_data_is_an_input_that_changed(run, root):
    first, second = (run(judged, rows=rows, options={"rate": 0.5}) for rows in (1, 2))
    found = compare_runs(root, first.run_id, second.run_id)
    changed = {one.name: one.changed for one in found.tasks}
    assert changed == {"ingest": ["parameter rows"], "tune": [], "evaluate": ["input snapshot"]}
    assert [one.first["version"] for one in found.data] == ["v1"]


def test_code_and_environment_that_changed_are_named(run, root):
    result = run(judged, rows=1, options={"rate": 0.5})
    record = json.loads((result.directory / "run.json").read_text())
    assert record["code"] == {"common": code_digest("common")}
    assert set(record["environments"]) == {"millrace/deployment"}
    trace = Trace(
        fingerprint="a", container=None, parameters={}, artifacts={}, code={"common": "a"}, environment="e"
    )
    later = Trace(
        fingerprint="b", container=None, parameters={}, artifacts={}, code={"common": "b"}, environment="f"
    )
    assert reasons(trace, later) == ["code of common", "environment"]


def test_unknown_run_is_named(root, run):
    run_id = run(judged, rows=1, options={"rate": 0.5}).run_id
    with pytest.raises(BadInputError, match="no such run"):
        compare_runs(root, run_id, "x")

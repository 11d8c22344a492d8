"""The door, executed as KFP's executor does, and its ports."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from kfp import dsl

from components.common.artifacts import read_verdict
from components.evaluation.component import evaluate

PORTS = {
    "metrics": dsl.Metrics,
    "classification_metrics": dsl.ClassificationMetrics,
    "evaluation": dsl.Artifact,
    "golden_requests": dsl.Artifact,
    "report": dsl.HTML,
    "evaluated_model": dsl.Model,
}


def call(world, **parameters):
    outputs = {name: kind(uri=str(world.out / name)) for name, kind in PORTS.items()}
    blessed = evaluate.python_func(
        best_model=dsl.Model(uri=str(world.model)), examples=dsl.Dataset(uri=str(world.examples)),
        baseline=dsl.Model(uri=str(world.baseline)), recipe="7" * 64, **outputs, **parameters,
    )  # fmt: skip
    return blessed, outputs


def test_the_door_writes_every_output_and_returns_the_verdict(make_world):
    world = make_world()
    world.set_baseline(weight=0.7)
    blessed, outputs = call(
        world, slices=["carrier"], thresholds={"auc": {"min": 0.6}}, options={"golden_rows": 8.0}
    )
    assert blessed is True
    assert all(Path(outputs[name].path).exists() for name in PORTS if "metrics" not in name)
    assert outputs["golden_requests"].metadata["rows"] == 8
    assert outputs["evaluation"].metadata["outcome"] == "blessed"
    numbers = outputs["metrics"].metadata
    assert numbers["auc_low"] < numbers["auc"] < numbers["auc_high"]
    drawn = outputs.pop("classification_metrics").metadata
    assert set(drawn) == {"confusionMatrix", "confidenceMetrics"}
    for artifact in outputs.values():  # what the launcher takes: flat, finite, no bool
        assert all(
            type(value) in (str, int, float) and value == value for value in artifact.metadata.values()
        )


def test_a_weak_model_is_a_verdict_and_not_a_failure(make_world):
    world = make_world()
    blessed, outputs = call(world, thresholds={"auc": {"min": 0.99}})
    assert blessed is False
    assert not read_verdict(Path(outputs["evaluation"].path)).passed


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"options": {"golden_row": 8}}, "did you mean `golden_rows`"),
        ({"options": {"batch_size": "8"}}, "`batch_size` must be of type int — parameter `evaluation`"),
        ({"slices": ["carriers"]}, "did you mean `carrier`"),
    ],
)
def test_a_slip_ends_the_task_with_one_line_and_code_2(make_world, capsys, parameters, message):
    with pytest.raises(SystemExit) as ended:
        call(make_world(), **parameters)
    assert ended.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last


def test_every_port_is_described():
    text = inspect.getdoc(evaluate.python_func) or ""
    inputs, outputs = evaluate.component_spec.inputs, evaluate.component_spec.outputs
    assert all(f"{name}: " in text for name in [*inputs, *outputs])
    assert set(outputs) == {*PORTS, "Output"}

"""Which model is the baseline, and what names a recipe."""

import inspect
import json
import shutil
from dataclasses import replace

import pytest

from components.common.artifacts import (
    Snapshot,
    baseline_model,
    read_endpoint,
    read_evaluation,
    write_evaluation,
    write_snapshot,
)
from components.common.errors import BadInputError, UnavailableError
from components.common.seal import model_digest, seal_model
from components.deployment.baseline import find_baseline
from components.deployment.component import deploy_model, resolve_baseline
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.recipe import compute_recipe
from tests.components.deployment.played_target import PlayedTarget
from tests.tiny_model import write_tiny_model

LOCAL, NONE = DeployConfig(target="local"), DeployConfig(target="none")
SHAPING = {"model_name": "m", "label": "late", "trials": 4, "sampler": "random", "seed": 0}


def judged_again(model, folder, **changes):
    """Copy a model with another evaluation, as a later run of evaluation writes it."""
    shutil.copytree(model, folder)
    write_evaluation(folder, replace(read_evaluation(folder), **changes))
    seal_model(folder)
    return folder


def test_nothing_serving_is_no_baseline_with_the_reason(port, snapshot, supervisor, capsys):
    baseline = port("baseline")
    recipe = resolve_baseline.python_func(port("s", snapshot), baseline=baseline, **SHAPING)
    assert baseline_model(type(snapshot)(baseline.path)) is None
    assert baseline.metadata == {"found": 0}
    assert len(recipe) == 64
    assert f"no model serves as `m` yet\nrecipe: {recipe}" in capsys.readouterr().out


def test_given_model_is_taken_where_it_lies_and_nothing_is_written(port, snapshot, models, tmp_path):
    baseline = port("baseline")
    options = {"target": "none", "timeout_seconds": 60.0}
    resolve_baseline.python_func(
        port("s", snapshot),
        baseline=baseline,
        baseline_uri=str(models["first"]),
        options=options,
        **SHAPING,
    )
    assert baseline.uri == str(models["first"])
    assert baseline.metadata == {"found": 1, "model_digest": model_digest(models["first"])}
    assert not (tmp_path / "baseline").exists()


def test_given_model_that_is_none_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match=r"digest.json"):
        find_baseline("m", str(tmp_path), recipe="r", config=NONE)


def test_serving_model_is_the_baseline_unless_of_the_same_recipe(models, golden, tmp_path, supervisor):
    first = models["first"]
    recorded = {"uri": str(first), "digest": model_digest(first), "metrics": {}}
    model = write_tiny_model(tmp_path / "model", weight=2.0, recipe="r2", baseline=recorded)
    deploy(model, golden[2.0], tmp_path / "e", model_name="based", config=LOCAL)

    other = find_baseline("based", None, recipe="r3", config=LOCAL)
    assert (other.folder, other.model_digest) == (model, model_digest(model))
    same = find_baseline("based", None, recipe="r2", config=LOCAL)
    assert (same.folder, same.model_digest) == (first, model_digest(first))

    gone = {**recorded, "uri": str(tmp_path / "gone")}
    for baseline, told in ((gone, "cannot be compared with"), (None, "had no baseline itself")):
        write_evaluation(model, replace(read_evaluation(model), baseline=baseline))
        seal_model(model)
        found = find_baseline("based", None, recipe="r2", config=LOCAL)
        assert (found.folder, found.model_digest) == (None, None)
        assert told in found.reason

    (model / "model.json").write_text("{}")
    changed = find_baseline("based", None, recipe="r3", config=LOCAL)
    assert changed.folder is None
    assert "does not match its digest" in changed.reason
    supervisor.stop("based")


def test_target_that_serves_nothing_has_no_baseline():
    assert find_baseline("m", None, recipe="r", config=NONE).folder is None


def test_target_that_writes_for_git_knows_no_model_that_serves():
    found = find_baseline("m", None, recipe="r", config=DeployConfig(target="manifest"))
    assert found.reason == "no model serves: the target is `manifest`"


def test_model_that_serves_from_a_store_is_no_baseline_and_that_is_told(monkeypatch):
    monkeypatch.setattr("components.deployment.baseline.open_target", lambda _: PlayedTarget("old"))
    found = find_baseline("m", None, recipe="r", config=DeployConfig(target="kserve"))
    assert found.folder is None
    assert "model old (it serves as `m`) cannot be compared with: it lies in a store" in found.reason
    assert found.reason.endswith("s3://b/old")


def test_supervisor_that_is_gone_is_said_so(tmp_path, monkeypatch):
    file = tmp_path / "supervisor.json"
    file.write_text(json.dumps({"control": str(tmp_path / "no.sock")}))
    monkeypatch.setenv("MILLRACE_SUPERVISOR", str(file))
    with pytest.raises(UnavailableError, match="does not answer"):
        find_baseline("m", None, recipe="r", config=LOCAL)


def test_recipe_is_equal_for_equal_content_and_differs_for_any_other(snapshot, tmp_path):
    module = tmp_path / "module.py"
    module.write_text("a = 1\n")
    shaping = {"trials": 4, "search_space": {"units": [1, 2.5]}, "seed": 0}
    recipe = compute_recipe(snapshot, shaping, module_uri=str(module))
    as_doubles = {"seed": 0.0, "search_space": {"units": [1.0, 2.5]}, "trials": 4.0}
    copied = shutil.copy(module, tmp_path / "copy.py")
    assert compute_recipe(snapshot, as_doubles, module_uri=str(copied)) == recipe
    others = [
        compute_recipe(snapshot, {**shaping, "seed": 1}, module_uri=str(module)),
        compute_recipe(snapshot, shaping, module_uri=None),
    ]
    module.write_text("a = 2\n")
    others.append(compute_recipe(snapshot, shaping, module_uri=str(module)))
    empty = {"sources": {}, "query": None, "split": {}, "rows": {}, "columns": {}}
    write_snapshot(tmp_path / "other", Snapshot(version="v2", **empty))
    others.append(compute_recipe(tmp_path / "other", shaping, module_uri=None))
    assert len({recipe, *others}) == 5


def test_module_that_is_no_file_is_refused(snapshot):
    with pytest.raises(BadInputError, match=r"module_uri.*nope.py"):
        compute_recipe(snapshot, {}, module_uri="nope.py")


def test_every_shaping_parameter_of_the_door_is_in_the_recipe(port, snapshot):
    fixed = {"snapshot", "baseline", "model_name", "baseline_uri", "module_uri", "options"}
    shaping = [
        name for name in inspect.signature(resolve_baseline.python_func).parameters if name not in fixed
    ]
    assert len(shaping) == 13
    other = {"label": "x", "task": "binary", "trials": 5, "sampler": "grid", "seed": 9, "slices": ["x"]}
    recipes = set()
    for name in [None, *shaping]:
        changed = {} if name is None else {name: other.get(name, {"x": 1})}
        given = {**SHAPING, **changed, "options": {"target": "none"}}
        recipes.add(resolve_baseline.python_func(port("s", snapshot), baseline=port("b"), **given))
    assert len(recipes) == 14


def test_unknown_knob_ends_the_door_with_a_suggestion(port, snapshot, capsys):
    with pytest.raises(SystemExit) as ended:
        resolve_baseline.python_func(
            port("s", snapshot), baseline=port("b"), options={"targt": "none"}, **SHAPING
        )
    assert ended.value.code == 2
    assert "did you mean `target`?" in capsys.readouterr().err


def test_door_deploys_and_tells_in_flat_metadata(port, models, golden):
    endpoint = port("endpoint")
    deploy_model.python_func(
        port("m", models["first"]), "m", endpoint, port("g", golden[1.0]), options={"target": "none"}
    )
    assert endpoint.metadata == {"target": "none", "model_digest": model_digest(models["first"])}
    assert read_endpoint(type(models["first"])(endpoint.path)).name == "m"


def test_door_of_a_weak_model_ends_with_the_code_of_a_refusal(port, models, golden, capsys):
    with pytest.raises(SystemExit) as ended:
        deploy_model.python_func(
            port("m", models["weak"]), "m", port("e"), port("g", golden[1.0]), options={"target": "none"}
        )
    assert ended.value.code == 3
    assert capsys.readouterr().err.startswith("error: the model was not blessed")

"""Old runs go whole; nothing goes that a model that serves, or a run that stays, still needs."""

# ruff: noqa: SIM115 - doors are one-liners here

import json
import os
import time
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from components.common.artifacts import Evaluation, write_evaluation
from components.common.errors import BadInputError, UnavailableError
from pipelines.local.claim import Claim
from pipelines.local.clean import clean, parse_age, plan_cleaning
from pipelines.local.history import list_runs
from pipelines.local.serving.state import ServingState, StateFolder

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def make(size: int, data: dsl.Output[dsl.Dataset]):
    open(data.path, "w").write("x" * size)


@door
def fit(data: dsl.Input[dsl.Dataset], seed: int, model: dsl.Output[dsl.Model]):
    import os

    os.makedirs(model.path)
    open(model.path + "/weights", "w").write(open(data.path).read() + str(seed))


@dsl.pipeline(name="fitting")
def fitting(size: int, seed: int):
    fit(data=make(size=size).outputs["data"], seed=seed)


def serve(root: Path, model: str) -> None:
    folder = StateFolder.of(root)
    folder.make()
    revision = {"model_uri": model, "model_digest": "d"}
    endpoint = {"revisions": {"r": revision}, "weights": {"r": 100}}
    folder.write_state(ServingState(endpoints={"houses": endpoint}))


def judge(model: str, baseline: str | None) -> None:
    write_evaluation(
        Path(model),
        Evaluation(
            recipe="r", model="m", baseline=baseline and {"uri": baseline, "digest": "d", "metrics": {}},
            rows=1, metrics={}, slices=[], thresholds={}, passed=True, reasons=[],
        ),
    )  # fmt: skip


def model_of(result) -> str:
    return result.outputs["fit"]["model"]["uri"]


def age(result, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(result.directory / "run.json", (then, then))


def names(root: Path) -> set[str]:
    return {record["run_id"] for record in list_runs(root)}


@pytest.fixture
def three(run):
    """Three runs that share nothing, a day apart."""
    results = []
    for days in (3, 2, 1):
        results.append(run(fitting, size=1000 * days, seed=days))
        age(results[-1], days)
        time.sleep(1.01)  # run ids have seconds
    return results


def test_dry_run_tells_the_bytes_and_removes_nothing(root, three):
    found = plan_cleaning(root, keep=1)
    assert [item.run_id for item in found.items[:2]] == [one.run_id for one in three[:2]]
    for item in found.items[:2]:
        files = [file for file in item.path.rglob("*") if file.is_file()]
        assert item.bytes == sum(file.stat().st_size for file in files) > 4000
    assert found.bytes == sum(item.bytes for item in found.items)
    assert names(root) == {one.run_id for one in three}


def test_cleaning_removes_runs_and_the_cache_entries_that_point_into_them(run, root, three):
    entries = len(list((root / "cache").iterdir()))
    planned = plan_cleaning(root, keep=1)
    assert clean(root, keep=1) == planned
    assert names(root) == {three[2].run_id}
    assert not three[0].directory.exists()
    assert len(list((root / "cache").iterdir())) == entries - 4
    again = run(fitting, size=3000, seed=3)
    assert [task.cache_hit for task in again.tasks] == [False, False]
    assert plan_cleaning(root, keep=9).items == ()


def test_age_and_number_must_both_allow_it(root, three):
    def going(**how):
        return {item.run_id for item in plan_cleaning(root, **how).items} - {None}

    assert going(older_seconds=parse_age("36h")) == {three[0].run_id, three[1].run_id}
    assert going(older_seconds=parse_age("60h"), keep=0) == {three[0].run_id}
    assert going(older_seconds=parse_age("36h"), keep=2) == {three[0].run_id}
    assert going() == set()  # the ten newest stay
    with pytest.raises(BadInputError, match="not an age"):
        parse_age("soon")


def test_what_an_endpoint_serves_and_was_compared_with_stays(root, three):
    judge(model_of(three[2]), model_of(three[1]))
    judge(model_of(three[1]), model_of(three[0]))
    serve(root, model_of(three[2]))
    found = clean(root, keep=0)
    assert found.items == ()
    assert found.kept[three[2].run_id] == "endpoint `houses` serves a model of it"
    assert "compared with" in found.kept[three[0].run_id]
    assert len(names(root)) == 3
    serve(root, model_of(three[1]))
    assert {item.run_id for item in clean(root, keep=0).items} - {None} == {three[2].run_id}


def test_run_whose_results_a_kept_run_took_from_the_cache_stays(run, root):
    first = run(fitting, size=1000, seed=1)
    time.sleep(1.01)
    second = run(fitting, size=1000, seed=2)  # takes the data of the first
    time.sleep(1.01)
    third = run(fitting, size=1000, seed=1)  # takes the model, too
    found = clean(root, keep=1)
    assert {item.run_id for item in found.items} - {None} == {second.run_id}
    assert names(root) == {first.run_id, third.run_id}
    assert first.run_id in found.kept
    assert [task.cache_hit for task in run(fitting, size=1000, seed=1).tasks] == [True, True]


def test_nothing_goes_while_a_run_is_under_way(root, three):
    (folder := root / "fitting" / "99991231-235959-aaaaaa").mkdir()
    (folder / "run.json").write_text(json.dumps({"run_id": "r", "pipeline": "fitting", "state": "RUNNING"}))
    claim = Claim(root, folder)
    with pytest.raises(UnavailableError, match="under way"):
        clean(root, keep=0)
    claim.release()
    assert folder in {item.path for item in clean(root, keep=0).items}  # its process is gone
    assert names(root) == set()


def test_unreadable_serving_state_is_an_error_and_not_a_licence(root, three):
    folder = StateFolder.of(root)
    folder.make()
    (folder.path / "state.json").write_text("{")
    with pytest.raises(BadInputError, match=r"state\.json"):
        clean(root, keep=0)
    assert len(names(root)) == 3


def test_half_removed_run_is_no_run_and_is_removed_the_next_time(root, three):
    hidden = three[0].directory.with_name(f".{three[0].run_id}.removed-abc")
    three[0].directory.rename(hidden)
    assert three[0].run_id not in names(root)
    clean(root, keep=9)
    assert not hidden.exists()

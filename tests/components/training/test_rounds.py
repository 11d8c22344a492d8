"""Rounds of a search, on records alone: no trial is trained here."""

import json
import math
from collections import Counter
from itertools import pairwise

import pytest

from components.common.artifacts import ModelRecord, write_model_record, write_no_baseline
from components.common.errors import BadInputError
from components.training.component import propose_next_round
from components.training.config import TrainingConfig
from components.training.draw_points import Told, draw_points
from components.training.gather import gather_records
from components.training.objectives import read_rule
from components.training.propose import propose_next, propose_points
from components.training.records import TrialRecord, read_records, write_records
from components.training.search import plan_search
from components.training.search_space import read_space
from components.training.select_best import select_best_model

SPACE = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "epochs": 8}
RULE = read_rule("regression", TrainingConfig())


def plan(trials, rounds, *, sampler="random", per_task=1, **knobs):
    return plan_search(
        SPACE, trials=trials, sampler=sampler, seed=0, trials_per_task=per_task, rounds=rounds,
        config=TrainingConfig(**knobs),
    )  # fmt: skip


def loss(point):
    return (math.log10(point["learning_rate"]) + 2) ** 2 / point["epochs"]


def attempt(batches, fails=()):
    """Return what `train_batch` would record if a trial were a known function."""
    records = []
    for batch in batches:
        waiting, spares = list(batch["trials"]), list(batch.get("spares", []))
        for trial in waiting:
            bad = trial["number"] in fails
            point = trial["hyperparameters"]
            records.append(
                TrialRecord(
                    number=trial["number"], state="failed" if bad else "complete", hyperparameters=point,
                    metrics={} if bad else {"mse": loss(point)}, error="broke" if bad else None,
                    round=batch["round"], parent=trial.get("parent"),
                )
            )  # fmt: skip
            if bad and spares:
                waiting.append(spares.pop(0))
    return records


def run(search, fails=()):
    records = attempt(propose_points(search), fails)
    for place in range(1, search.rounds):
        records += attempt(propose_next(search, place, records, RULE), fails)
    return records


def test_rounds_share_the_trials_and_numbers_are_unique():
    records = run(plan(11, 3))
    assert Counter(record.round for record in records) == {0: 3, 1: 4, 2: 4}
    assert len({record.number for record in records}) == 11
    assert len({record.hyperparameters["learning_rate"] for record in records}) == 11


def test_successive_halving_gives_the_best_more_epochs():
    records = run(plan(8, 3, halving=2))
    by_round = [[one for one in records if one.round == place] for place in range(3)]
    assert [len(listed) for listed in by_round] == [8, 4, 2]
    assert [{one.hyperparameters["epochs"] for one in listed} for listed in by_round] == [{2}, {4}, {8}]
    for earlier, later in pairwise(by_round):
        best = sorted(earlier, key=lambda one: loss(one.hyperparameters))[: len(later)]
        assert {one.parent for one in later} == {one.number for one in best}
        rates = {one.number: one.hyperparameters["learning_rate"] for one in earlier}
        assert all(one.hyperparameters["learning_rate"] == rates[one.parent] for one in later)


def test_later_rounds_of_tpe_are_those_of_one_told_all_results():
    search = plan(30, 2, sampler="tpe", max_replacements=0)
    records = attempt(propose_points(search))
    found = [batch["trials"][0]["hyperparameters"] for batch in propose_next(search, 1, records, RULE)]
    told = [Told(record.hyperparameters, [record.metrics["mse"]]) for record in records]
    assert found == draw_points(read_space(SPACE), 30, sampler="tpe", seed=0, start=15, told=told)
    assert found != draw_points(read_space(SPACE), 30, sampler="tpe", seed=0, start=15)


def test_failed_trials_are_replaced_up_to_a_limit_and_none_is_lost():
    fails = {0, 3, 4, 5}
    records = run(plan(6, 1, per_task=3, max_replacements=2), fails)
    states = Counter(record.state for record in records)
    assert states == {"complete": 5, "failed": 4}  # the second task lost three and had two spares
    assert {record.number for record in records if record.state == "failed"} == fails
    assert len({record.number for record in records}) == 9


def test_hundreds_of_trials_keep_their_records():
    fails = set(range(0, 400, 2))
    records = run(plan(400, 4, per_task=10, max_replacements=3), fails)
    assert len({record.number for record in records}) == len(records)
    assert sum(record.parent is None for record in records) >= 400
    complete = sum(record.state == "complete" for record in records)
    assert complete + sum(record.state == "failed" for record in records) == len(records)


def test_halving_goes_on_although_the_round_before_failed():
    search = plan(4, 3, halving=2, max_replacements=0)
    records = attempt(propose_points(search))
    records += attempt(propose_next(search, 1, records, RULE), fails={4, 5})
    (last,) = propose_next(search, 2, records, RULE)
    best = min((one for one in records if one.round == 0), key=lambda one: one.metrics["mse"])
    assert last["trials"][0]["parent"] == best.number
    with pytest.raises(BadInputError, match=r"no trial is complete.*trial 0: broke"):
        propose_next(search, 1, attempt(propose_points(search), fails=range(9)), RULE)


@pytest.mark.parametrize(("rounds", "message"), [(0, "rounds <= trials"), (5, "rounds <= trials")])
def test_a_round_needs_a_trial(rounds, message):
    with pytest.raises(BadInputError, match=message):
        plan(4, rounds)


def write_task(folder, records, best):
    write_records(folder, "regression", records)
    if best is not None:
        named = {"task": "regression", "label": "y", "classes": [], "hyperparameters": {}}
        model = ModelRecord(**named, trial=best, validation={}, digests={})
        write_model_record(folder, model)
    return folder


def test_the_door_of_a_later_round_hands_on_records_and_models(port, tmp_path):
    search = plan(4, 2, halving=2)
    records = attempt(propose_points(search), fails={1})
    tasks = [
        write_task(tmp_path / f"task-{one.number}", [one], one.number if one.state == "complete" else None)
        for one in records
    ]
    (tmp_path / "before").mkdir()
    write_no_baseline(tmp_path / "before")
    outputs = [port(tmp_path / "start"), port(tmp_path / "history")]
    batches = propose_next_round.python_func(
        [port(task) for task in tasks], port(tmp_path / "before"), *outputs, round=1, rounds=2, trials=4,
        search_space=SPACE, options={"halving": 2.0},
    )  # fmt: skip
    parents = [trial["parent"] for batch in batches for trial in [*batch["trials"], *batch["spares"]]]
    assert {int(one.name) for one in (tmp_path / "start" / "trials").iterdir()} == set(parents)
    _, found = read_records(tmp_path / "history")
    assert [one.number for one in found] == sorted(one.number for one in records)
    last = write_task(tmp_path / "last", attempt(batches[:1], fails=range(99)), None)
    best = select_best_model(
        [last, tmp_path / "history"], best_model=tmp_path / "best", leaderboard=tmp_path / "board",
        report=tmp_path / "board.html", config=TrainingConfig(),
    )  # fmt: skip
    complete = [one for one in records if one.state == "complete"]
    assert best.trial == min(complete, key=lambda one: one.metrics["mse"]).number
    board = json.loads((tmp_path / "board" / "leaderboard.json").read_text())
    assert len(board["rows"]) == len(records) + 2


def test_two_trials_of_one_number_are_an_error(tmp_path):
    records = attempt(propose_points(plan(2, 1)))
    folders = [write_task(tmp_path / name, records, None) for name in "ab"]
    with pytest.raises(BadInputError, match="same number"):
        gather_records(folders)

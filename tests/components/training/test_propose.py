import math

import pytest

from components.common.artifacts import baseline_model
from components.common.errors import BadInputError
from components.training.component import propose_trials
from components.training.config import TrainingConfig
from components.training.hyperparameters import BOUNDS, CHOICES, Hyperparameters, as_mapping
from components.training.propose import propose_points
from components.training.search import plan_search
from components.training.search_space import DEFAULT_SPACE


def plan(space=None, *, trials=4, sampler="random", seed=0, per_task=1, rounds=1, **knobs):
    config = TrainingConfig(**{"max_replacements": 0, **knobs})
    return plan_search(
        space or {}, trials=trials, sampler=sampler, seed=seed, trials_per_task=per_task, rounds=rounds,
        config=config,
    )  # fmt: skip


def propose(*arguments, **changes):
    return propose_points(plan(*arguments, **changes))


def points(batches):
    return [trial["hyperparameters"] for batch in batches for trial in batch["trials"]]


def test_trial_0_is_the_default_point():
    assert points(propose())[0] == as_mapping(Hyperparameters())


def test_the_same_seed_gives_the_same_trials_and_another_one_others():
    assert propose(seed=3) == propose(seed=3)
    assert points(propose(seed=3))[1:] != points(propose(seed=4))[1:]


def test_more_trials_leave_the_earlier_ones_as_they_were():
    assert propose(trials=6)[:4] == propose(trials=4)


def test_trials_are_numbered_seeded_and_put_in_batches():
    batches = propose(trials=5, per_task=2, seed=10)
    assert [len(batch["trials"]) for batch in batches] == [2, 2, 1]
    numbers = [(trial["number"], trial["seed"]) for batch in batches for trial in batch["trials"]]
    assert numbers == [(number, 10 + number) for number in range(5)]


def test_points_lie_in_the_space():
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "units": {"choices": [64.0, 96.0]},
        "epochs": 3.0,
    }
    drawn = points(propose(space, trials=40))
    assert all(1e-4 <= point["learning_rate"] <= 1e-2 for point in drawn)
    assert {point["units"] for point in drawn} == {64, 96}
    assert {point["epochs"] for point in drawn} == {3}
    assert {point["layers"] for point in drawn} == {Hyperparameters().layers}
    below = sum(point["learning_rate"] < 1e-3 for point in drawn[1:])
    assert 8 <= below <= 31  # half of a log-uniform draw; a uniform one has 9 % there


def test_trial_0_moves_into_a_space_without_the_defaults():
    space = {
        "learning_rate": {"low": 1e-6, "high": 1e-4, "log": True},
        "units": {"choices": [7, 9]},
        "layers": {"low": 3, "high": 5},
    }
    point = points(propose(space, trials=1))[0]
    assert math.isclose(point["learning_rate"], 1e-5)
    assert (point["units"], point["layers"]) == (7, 4)


def test_the_default_space_holds_the_defaults():
    assert points(propose(DEFAULT_SPACE))[0] == as_mapping(Hyperparameters())


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"learning_rat": 0.1}, "did you mean `learning_rate`"),
        ({"units": [16, 32]}, r"write `\{choices: \[16, 32\]\}`"),
        ({"learning_rate": {"low": 0.1}}, "neither a range nor choices"),
        ({"learning_rate": {"low": 0.1, "hihg": 0.2}}, "did you mean `high`"),
        ({"learning_rate": {"low": 0.2, "high": 0.1}}, "low <= high"),
        ({"dropout": {"low": 0, "high": 0.1, "log": True}}, "low > 0"),
        ({"dropout": 1.5}, "<= dropout <="),
        ({"units": {"choices": []}}, "at least one value"),
        ({"units": 1.5}, "whole number"),
        ({"units": "many"}, "whole number"),
        ({"form": {"low": "mlp", "high": "linear"}}, "words have no range"),
        ({"form": {"choices": ["mlp", "tree"]}}, "give one of mlp, linear, wide_and_deep"),
        ({"layers": {"low": 0, "high": 99}}, "<= layers <="),
    ],
)
def test_a_space_that_cannot_be_is_refused(space, message):
    with pytest.raises(BadInputError, match=message):
        propose(space)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": 0}, "`1 <= trials <= 1000` must hold — parameter `trials` — got 0"),
        ({"trials": 1001}, "`1 <= trials <= 1000` must hold — parameter `trials` — got 1001"),
        ({"per_task": 0}, "trials_per_task >= 1"),
        ({"sampler": "best"}, "known samplers: random, qmc, tpe, grid"),
        ({"seed": -1}, "seed"),
    ],
)
def test_counts_and_samplers_are_checked(changes, message):
    with pytest.raises(BadInputError, match=message):
        propose(**changes)


def test_every_hyperparameter_has_bounds_and_keeps_them():
    assert {*BOUNDS, *CHOICES} == set(as_mapping(Hyperparameters()))
    for name, (_, high) in BOUNDS.items():
        with pytest.raises(ValueError, match=f"{name} <= "):
            Hyperparameters(**{name: high + 1})
    for name in CHOICES:
        with pytest.raises(ValueError, match=f"`{name}` must be one of"):
            Hyperparameters(**{name: "other"})


def test_the_door_gives_what_the_work_gives(port, tmp_path):
    assert propose_trials.python_func(port(tmp_path / "start")) == propose(max_replacements=1)
    assert baseline_model(tmp_path / "start") is None


def test_the_door_ends_with_one_line(port, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        propose_trials.python_func(port(tmp_path / "start"), search_space={"unit": 3})
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: unknown key `unit`")

"""The oracle is Optuna itself, optimising known functions, and SciPy's Sobol' sequence."""

import itertools
import math
import statistics

import numpy as np
import optuna
import pytest
from scipy.stats import qmc

from components.common.errors import BadInputError
from components.training.draw_points import Told, draw_points
from components.training.hyperparameters import Hyperparameters
from components.training.search_space import read_space

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "layers": {"low": 1, "high": 8},
    "form": {"choices": ["mlp", "linear"]},
    "dropout": {"low": 0.0, "high": 0.9},
}


def draw(space, stop, sampler, seed=0, **more):
    return draw_points(read_space(space), stop, sampler=sampler, seed=seed, **more)


def known(learning_rate, layers, form, dropout):
    """A bowl with its bottom at 1e-2, 3 layers, mlp, 0.2."""
    return (
        (math.log10(learning_rate) + 2) ** 2
        + (layers - 3) ** 2 / 9
        + (form != "mlp")
        + (dropout - 0.2) ** 2
    )


def suggested(trial):
    """The same space as a user of Optuna would write it."""
    return {
        "form": trial.suggest_categorical("form", ["mlp", "linear"]),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "layers": trial.suggest_int("layers", 1, 8),
        "dropout": trial.suggest_float("dropout", 0.0, 0.9),
    }


def optimised(sampler, trials):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: known(**suggested(trial)), n_trials=trials)
    return study


def only(points):
    return [{name: point[name] for name in SPACE} for point in points]


def test_random_points_are_those_of_optuna_optimising_a_known_function():
    theirs = [trial.params for trial in optimised(optuna.samplers.RandomSampler(seed=3), 20).trials]
    assert only(draw(SPACE, 21, "random", seed=3))[1:] == theirs


def test_tpe_told_of_a_known_function_goes_on_as_optuna_does():
    study = optimised(optuna.samplers.TPESampler(seed=5), 30)
    told = [Told(vars_of(trial.params), trial.values) for trial in study.trials]
    again = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=5 + 30))
    again.add_trials(study.trials)
    theirs = [suggested(again.ask()) for _ in range(4)]
    assert only(draw(SPACE, 34, "tpe", seed=5, start=30, told=told)) == theirs


def vars_of(params):
    return {**{name: getattr(Hyperparameters(), name) for name in Hyperparameters.__slots__}, **params}


def test_quasi_random_points_are_those_of_scipys_sobol_sequence():
    space = {"learning_rate": SPACE["learning_rate"], "dropout": SPACE["dropout"]}
    found = [(point["learning_rate"], point["dropout"]) for point in draw(space, 17, "qmc", seed=7)[1:]]
    unit = [[(math.log10(rate) + 4) / 3, dropout / 0.9] for rate, dropout in found]
    assert np.allclose(unit, qmc.Sobol(d=2, scramble=True, seed=7).random(16), atol=1e-6)


def test_a_grid_has_every_point_once_in_the_order_of_optuna():
    grid = {"layers": [1, 2, 3], "form": ["mlp", "linear"], "dropout": [0.0, 0.45, 0.9]}
    space = {
        "layers": {"low": 1, "high": 3},
        "form": {"choices": grid["form"]},
        "dropout": {"low": 0.0, "high": 0.9, "steps": 3},
    }
    found = [tuple(point[name] for name in grid) for point in draw(space, 50, "grid", seed=1)]
    assert sorted(found) == sorted(itertools.product(*grid.values()))
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(grid, seed=1))
    study.optimize(
        lambda trial: sum(len(str(trial.suggest_categorical(name, grid[name]))) for name in grid)
    )
    assert found == [tuple(trial.params[name] for name in grid) for trial in study.trials]


def test_a_grid_of_a_condition_has_no_point_twice():
    space = {
        "form": {"choices": ["mlp", "linear"]},
        "layers": {"low": 1, "high": 3, "when": {"form": "mlp"}},
    }
    found = [(point["form"], point["layers"]) for point in draw(space, 50, "grid")]
    assert sorted(found) == [("linear", 2), ("mlp", 1), ("mlp", 2), ("mlp", 3)]


def test_a_grid_of_a_range_without_steps_is_refused():
    with pytest.raises(BadInputError, match=r"search_space\.learning_rate.*steps"):
        draw(SPACE, 4, "grid")
    wide = {name: {"low": 1, "high": 200} for name in ("units", "epochs", "patience")}
    with pytest.raises(BadInputError, match="at most 10000 points"):
        draw(wide, 4, "grid")


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
def test_what_a_condition_excludes_stays_at_its_default(sampler):
    space = {
        "form": {"choices": ["mlp", "linear", "wide_and_deep"]},
        "layers": {"low": 4, "high": 8, "when": {"form": ["mlp", "wide_and_deep"]}},
        "dropout": {"low": 0.5, "high": 0.9, "when": {"form": "mlp", "layers": [4, 5]}},
    }
    found = draw(space, 60, sampler)
    for point in found:
        deep = point["form"] != "linear"
        assert (point["layers"] >= 4) == deep
        assert (point["dropout"] >= 0.5) == (point["form"] == "mlp" and point["layers"] <= 5)
    assert {point["form"] for point in found} == {"mlp", "linear", "wide_and_deep"}


@pytest.mark.parametrize("sampler", ["random", "qmc", "grid"])
def test_a_later_round_goes_on_where_the_earlier_one_ended(sampler):
    space = {**SPACE, "dropout": {"low": 0.0, "high": 0.9, "steps": 4},
             "learning_rate": {**SPACE["learning_rate"], "steps": 3}}  # fmt: skip
    assert draw(space, 9, sampler) == draw(space, 5, sampler) + draw(space, 9, sampler, start=5)


def test_tpe_finds_a_lower_place_than_random_draws_do():
    def lowest(sampler, seed):
        told = []
        for start in range(0, 40, 10):
            for point in draw(SPACE, start + 10, sampler, seed=seed, start=start, told=told):
                told.append(Told(point, [known(**{name: point[name] for name in SPACE})]))
        return min(told[1:], key=lambda one: one.values[0]).values[0]  # without the default point

    tpe, random = ([lowest(sampler, seed) for seed in range(5)] for sampler in ("tpe", "random"))
    assert statistics.median(tpe) < 0.6 * statistics.median(random)


def test_tpe_is_told_of_failures_and_of_two_objectives():
    points = draw(SPACE, 12, "tpe")
    told = [Told(point, None if place % 3 == 0 else [1.0, 2.0]) for place, point in enumerate(points)]
    found = draw(SPACE, 16, "tpe", start=12, told=told, directions=["maximize", "minimize"])
    assert len(found) == 4


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"forms": "mlp"}, "did you mean `form`"),
        ({"form": "tree"}, "give one of mlp"),
        ({"units": 64}, "condition can never be met"),
        ({"layers": 2}, "condition can never be met"),
        ("mlp", "`when` must map"),
        ({"form": []}, "at least one value"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(when, message):
    with pytest.raises(BadInputError, match=message):
        read_space({"form": {"choices": ["mlp"]}, "layers": {"low": 1, "high": 2, "when": when}})

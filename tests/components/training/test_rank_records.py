import itertools
import random

import optuna
import pytest

from components.common.errors import BadInputError
from components.training.config import TrainingConfig
from components.training.objectives import read_rule
from components.training.rank_records import broken_bounds, pareto_numbers, rank_records
from components.training.records import TrialRecord
from components.training.stop_early import limits_of


def complete(number, **metrics):
    return TrialRecord(number=number, state="complete", hyperparameters={}, metrics=metrics)


def rule(**knobs):
    return read_rule("binary", TrainingConfig(**knobs))


TWO = {"objectives": ["log_loss", "latency_ms"], "tolerance": 0.1}
TRIALS = [
    complete(0, log_loss=0.50, latency_ms=3.0),
    complete(1, log_loss=0.54, latency_ms=1.0),
    complete(2, log_loss=0.60, latency_ms=0.5),  # fast, but not within 10 %
    complete(3, log_loss=0.54, latency_ms=2.0),  # trial 1 dominates it
]


def test_of_two_objectives_the_best_second_among_the_nearly_best_wins():
    assert [one.number for one in rank_records(TRIALS, rule(**TWO))] == [1, 0, 3, 2]
    assert rank_records(TRIALS, rule(**{**TWO, "tolerance": 0.0}))[0].number == 0


def test_of_trials_that_all_have_an_auc_of_1_the_surest_wins():
    tied = [complete(0, auc=1.0, log_loss=0.3), complete(1, auc=1.0, log_loss=0.1), complete(2, auc=0.9)]
    assert [one.number for one in rank_records(tied, rule())] == [1, 0, 2]


def test_the_pareto_set_is_optunas():
    draw = random.Random(1)  # noqa: S311 - no secret
    records = [
        complete(number, auc=draw.randrange(6) / 6, weights=float(draw.randrange(6)))
        for number in range(40)
    ]
    study = optuna.create_study(directions=["maximize", "minimize"])
    for one in records:
        study.add_trial(optuna.create_trial(values=[one.metrics["auc"], one.metrics["weights"]]))
    asked = rule(objectives=["auc", "weights"], tolerance=0.2)
    assert pareto_numbers(records, asked) == sorted(trial.number for trial in study.best_trials)
    assert rank_records(records, asked)[0].number in pareto_numbers(records, asked)


def test_a_trial_that_breaks_a_constraint_stands_behind_those_that_keep_it():
    asked = rule(
        objectives=["log_loss"], constraints={"latency_ms": {"max": 2.0}, "log_loss": {"max": 0.55}}
    )
    ranked = rank_records(TRIALS, asked)
    assert [one.number for one in ranked] == [1, 3, 0, 2]
    assert broken_bounds(TRIALS[0], asked) == ["latency_ms 3 > 2"]
    assert broken_bounds(TRIALS[2], asked) == ["log_loss 0.6 > 0.55"]
    assert pareto_numbers(TRIALS, asked) == [1, 3]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"objectives": ["mse"]}, "unknown key `mse`"),
        ({"constraints": {"latency": {"max": 1}}}, "did you mean `latency_ms`"),
        ({"objectives": ["latency_ms"]}, "a time alone ranks no model"),
    ],
)
def test_metrics_that_trials_do_not_have_are_refused(knobs, message):
    with pytest.raises(BadInputError, match=message):
        rule(**knobs)


@pytest.mark.parametrize(
    "knobs",
    [
        {"objectives": ["auc", "auc"]},
        {"objectives": "auc"},
        {"constraints": {"auc": {"least": 1}}},
        {"constraints": {"auc": 0.5}},
        {"constraints": {"auc": {"min": "high"}}},
        {"tolerance": 1.0},
        {"halving": 1},
        {"max_replacements": -1},
        {"stop_hopeless": True, "folds": 3},
    ],
)
def test_impossible_knobs_are_refused(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        TrainingConfig(**knobs)


def curve(number, *losses, state="complete"):
    points = [{"epoch": epoch + 1, "eval_loss": loss} for epoch, loss in enumerate(losses)]
    return TrialRecord(number=number, state=state, hyperparameters={}, curve=points)


def test_limits_are_those_of_optunas_median_pruner():
    curves = [(0.9, 0.7, 0.8), (0.8, 0.6, 0.5), (0.7, 0.9, 0.4), (1.0, 0.5, 0.3), (0.6, 0.6, 0.6)]
    records = [curve(number, *losses) for number, losses in enumerate(curves)]
    limits = limits_of(records)
    for epoch, above in itertools.product(range(3), (-1e-6, 1e-6)):
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=5))
        for losses in curves:
            trial = study.ask()
            for place in range(3):
                trial.report(min(losses[: place + 1]), place)
            study.tell(trial, min(losses))
        trial = study.ask()
        trial.report(limits[epoch] + above, epoch)
        assert trial.should_prune() == (above > 0)
    assert limits_of(records[:3]) == []
    assert limits_of([*records[:3], curve(9, 0.1, state="stopped")]) == []

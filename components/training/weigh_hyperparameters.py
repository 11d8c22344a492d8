"""How much each hyperparameter matters: functional ANOVA (Hutter et al., 2014), as Optuna computes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.training.objectives import Rule
from components.training.records import TrialRecord

_FEWEST = 8  # complete trials; of fewer, importance says more about chance
_MOST = 500  # it takes a second for as many


def weigh_hyperparameters(records: Sequence[TrialRecord], rule: Rule) -> dict[str, float]:
    """Return the share of the first objective's variance that each hyperparameter explains by itself.

    Points of later rounds that go on with earlier ones are left out: they had more epochs. A range that
    was searched is taken from the values that were tried.

    Args:
        records: All trials.
        rule: It names the objective.

    Returns:
        Shares, the largest first, their sum is 1; empty with fewer than eight complete trials or when
        all are alike.
    """
    listed = [one for one in records if one.state == "complete" and one.parent is None][:_MOST]
    if len(listed) < _FEWEST:
        return {}
    values = {name: [one.hyperparameters[name] for one in listed] for name in listed[0].hyperparameters}
    varied = {name: each for name, each in values.items() if len(set(each)) > 1}
    losses = [rule.objectives[0].loss(one.metrics) for one in listed]
    if not varied or len(set(losses)) == 1:
        return {}
    return _evaluate(varied, losses)


def _evaluate(varied: dict[str, list[Any]], losses: Sequence[float]) -> dict[str, float]:
    import optuna  # takes longer to import than all else of a small search
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kinds: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(sorted(set(each)))
        if isinstance(each[0], str)
        else FloatDistribution(float(min(each)), float(max(each)))
        for name, each in varied.items()
    }
    study = optuna.create_study()
    for place, loss in enumerate(losses):
        params = {name: each[place] for name, each in varied.items()}
        study.add_trial(optuna.create_trial(value=loss, params=params, distributions=kinds))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {
        name: round(share, 4) for name, share in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    }

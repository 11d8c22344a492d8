"""Proposing trials: points of the search space, in batches of one task each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from components.training.hyperparameters import as_mapping, read_hyperparameters
from components.training.search_space import Choices, Range, Space, check_search, default_point, read_space


def propose_points(
    search_space: Mapping[str, Any], *, trials: int, sampler: str, seed: int, trials_per_task: int
) -> list[dict[str, Any]]:
    """Draw the trials of a search. The same arguments give the same trials.

    Args:
        search_space: See `read_space`.
        trials: How many, see `check_search`. Trial 0 is the default point, the others are drawn.
        sampler: How they are drawn: `random` (independent, uniform or log-uniform).
        seed: Of the draw; trial n trains with `seed + n`. At least 0.
        trials_per_task: How many share a task. At least 1.

    Returns:
        Batches `{trials: [{number, seed, hyperparameters}]}`, defaults filled in.

    Raises:
        BadInputError: The space is not valid, the sampler is unknown, or a count is out of range.
    """
    check_search(trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task)
    space = read_space(search_space)
    points = [as_mapping(default_point(space)), *_drawn(space, trials - 1, seed)]
    listed = [
        {"number": number, "seed": seed + number, "hyperparameters": point}
        for number, point in enumerate(points)
    ]
    return [
        {"trials": listed[start : start + trials_per_task]} for start in range(0, trials, trials_per_task)
    ]


def _drawn(space: Space, count: int, seed: int) -> list[dict[str, Any]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    distributions = {name: _distribution(allowed) for name, allowed in space.items()}
    asked = [study.ask(cast(Any, distributions)).params for _ in range(count)]
    return [as_mapping(read_hyperparameters(params, where="search_space")) for params in asked]


def _distribution(allowed: Choices | Range) -> BaseDistribution:
    if isinstance(allowed, Choices):
        return CategoricalDistribution(list(allowed.values))
    if allowed.whole:
        return IntDistribution(int(allowed.low), int(allowed.high), log=allowed.log)
    return FloatDistribution(allowed.low, allowed.high, log=allowed.log)

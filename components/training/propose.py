"""Proposing trials: points of the search space, in batches of one task each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import optuna

from components.common.errors import BadInputError
from components.training.hyperparameters import as_mapping, read_hyperparameters
from components.training.search_space import Space, default_point, read_space

SAMPLERS = ("random",)
MAX_TRIALS = 1_000  # each is a training; a typo shall not start a million of them


def propose_points(
    search_space: Mapping[str, Any], *, trials: int, sampler: str, seed: int, trials_per_task: int
) -> list[dict[str, Any]]:
    """Draw the trials of a search. The same arguments give the same trials.

    Args:
        search_space: See `read_space`.
        trials: How many. 1 to `MAX_TRIALS`. Trial 0 is the default point, the others are drawn.
        sampler: How they are drawn: `random` (independent, uniform or log-uniform).
        seed: Of the draw; trial n trains with `seed + n`. At least 0.
        trials_per_task: How many share a task. At least 1.

    Returns:
        Batches `{trials: [{number, seed, hyperparameters}]}`, defaults filled in.

    Raises:
        BadInputError: The space is not valid, the sampler is unknown, or a count is out of range.
    """
    _require(1 <= trials <= MAX_TRIALS, "trials", trials, f"`1 <= trials <= {MAX_TRIALS}` must hold")
    _require(trials_per_task >= 1, "trials_per_task", trials_per_task, "`trials_per_task >= 1` must hold")
    _require(
        0 <= seed < 2**31 - trials, "seed", seed, "a seed must be a whole number from 0 to 2,000,000,000"
    )
    _require(sampler in SAMPLERS, "sampler", sampler, f"known samplers: {', '.join(SAMPLERS)}")
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
    asked = [study.ask(cast(Any, space)).params for _ in range(count)]
    return [as_mapping(read_hyperparameters(params, where="search_space")) for params in asked]


def _require(holds: bool, name: str, value: object, what: str) -> None:
    if not holds:
        raise BadInputError(what, where=f"parameter `{name}`", value=value)

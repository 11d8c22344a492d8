"""Proposing trials: points of the search space, in batches of one task each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.training.draw_points import draw_points
from components.training.search_space import check_search, read_space


def propose_points(
    search_space: Mapping[str, Any], *, trials: int, sampler: str, seed: int, trials_per_task: int
) -> list[dict[str, Any]]:
    """Draw the trials of a search. The same arguments give the same trials.

    Args:
        search_space: See `read_space`.
        trials: How many, see `check_search`. A grid may have fewer.
        sampler: How they are drawn, see `draw_points`.
        seed: Of the draw; trial n trains with `seed + n`. At least 0.
        trials_per_task: How many share a task. At least 1.

    Returns:
        Batches `{trials: [{number, seed, hyperparameters}]}`, defaults filled in.

    Raises:
        BadInputError: The space is not valid, the sampler is unknown, or a count is out of range.
    """
    check_search(trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task)
    points = draw_points(read_space(search_space), trials, sampler=sampler, seed=seed)
    listed = [
        {"number": number, "seed": seed + number, "hyperparameters": point}
        for number, point in enumerate(points)
    ]
    return [
        {"trials": listed[start : start + trials_per_task]}
        for start in range(0, len(points), trials_per_task)
    ]

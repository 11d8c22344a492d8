"""A search as a plan: how many trials each round has, and which numbers they bear."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.common.errors import BadInputError
from components.training.config import TrainingConfig
from components.training.search_space import Space, check_search, read_space


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What a user asks for.

    Attributes:
        space: What is searched.
        trials: Points that are drawn, replacements aside.
        sampler: See `draw_points`.
        seed: Of the draw; trial n trains with `seed + n`.
        trials_per_task: Trials that share a task.
        rounds: How many.
        halving: See `TrainingConfig`.
        replacements: Spare trials of each task.
    """

    space: Space
    trials: int
    sampler: str
    seed: int
    trials_per_task: int = 1
    rounds: int = 1
    halving: int | None = None
    replacements: int = 0

    def count(self, place: int) -> int:
        """Return how many trials a round has; rounds are counted from 0.

        With halving, round r has `trials / halving ** r`, rounded up; else rounds share the trials.
        """
        if self.halving:
            return math.ceil(self.trials / self.halving**place)
        return self.trials * (place + 1) // self.rounds - self.trials * place // self.rounds

    def reserved(self, place: int) -> int:
        """Return how many numbers belong to a round, those of spare trials included."""
        count = self.count(place)
        return count + math.ceil(count / self.trials_per_task) * self.replacements

    def first(self, place: int) -> int:
        """Return the number of a round's first trial."""
        return sum(map(self.reserved, range(place)))


def plan_search(
    search_space: Mapping[str, Any], *, trials: int, sampler: str, seed: int, trials_per_task: int,
    rounds: int, config: TrainingConfig,
) -> Search:  # fmt: skip
    """Check what is asked for.

    Raises:
        BadInputError: The space is not valid, the sampler is unknown, or a count is out of range.
    """
    check_search(trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task)
    if not 1 <= rounds <= trials:
        fix = "ask for more trials, or compile fewer rounds"
        raise BadInputError("`1 <= rounds <= trials` must hold", where="rounds", value=rounds, fix=fix)
    return Search(
        space=read_space(search_space), trials=trials, sampler=sampler, seed=seed, rounds=rounds,
        trials_per_task=trials_per_task, halving=config.halving if rounds > 1 else None,
        replacements=config.max_replacements,
    )  # fmt: skip

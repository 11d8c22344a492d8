"""Drawing points of a search space with Optuna, which is asked and told without a server."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GridSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import TrialState, create_trial

from components.common.errors import BadInputError
from components.training.hyperparameters import as_mapping, read_hyperparameters
from components.training.search_space import Choices, Range, Space, default_point, is_drawn

Direction = Literal["minimize", "maximize"]

MAX_GRID = 10_000  # points; a typo shall not build a list that fills the memory


class Told(NamedTuple):
    """What became of a point: its objectives, or None when it failed."""

    hyperparameters: Mapping[str, Any]
    values: Sequence[float] | None


def draw_points(
    space: Space, stop: int, *, sampler: str, seed: int, start: int = 0, told: Sequence[Told] = (),
    directions: Sequence[Direction] = ("minimize",),
) -> list[dict[str, Any]]:  # fmt: skip
    """Draw the points `start` to `stop` of a search. The same arguments give the same points.

    Point 0 is the default one, except of a grid.

    Args:
        space: See `read_space`.
        stop: Number of the point to stop before. A grid may have fewer.
        sampler: `random` (independent), `qmc` (quasi-random: Sobol', scrambled; what a condition leaves
            out of point 0 is drawn independently) or `grid` (each point once, in random order); their
            point n does not depend on `start`. `tpe` (Bergstra et al., 2011) learns from what it is told.
        seed: Of the draw.
        start: Number of the first point.
        told: Results so far, for `tpe`.
        directions: `minimize` or `maximize`, one per objective.

    Returns:
        Hyperparameters, defaults filled in.

    Raises:
        BadInputError: A grid is asked of a range without `steps`, or has more than `MAX_GRID` points.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if sampler == "grid":
        return _draw_grid(space, stop, seed)[start:]
    if sampler == "tpe":
        return _draw_told(space, stop, seed, start, told, directions)
    chosen: BaseSampler = RandomSampler(seed=seed)
    if sampler == "qmc":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # its interface may change, not its points
            chosen = QMCSampler(
                scramble=True, seed=seed, independent_sampler=chosen, warn_independent_sampling=False
            )
    study = optuna.create_study(sampler=chosen)
    first = as_mapping(default_point(space))
    if sampler == "qmc":  # learns the space from a complete trial
        study.add_trial(_finished(space, Told(first, [0.0])))
    return [first, *(_ask(study, space) for _ in range(stop - 1))][start:]


def distribution(allowed: Choices | Range) -> BaseDistribution:
    """Return what Optuna calls the values that a hyperparameter may have."""
    if isinstance(allowed, Choices):
        return CategoricalDistribution(list(allowed.values))
    if allowed.whole:
        return IntDistribution(int(allowed.low), int(allowed.high), log=allowed.log)
    return FloatDistribution(allowed.low, allowed.high, log=allowed.log)


def _draw_told(
    space: Space, stop: int, seed: int, start: int, told: Sequence[Told], directions: Sequence[Direction]
) -> list[dict[str, Any]]:
    # Each round has its own seed: a sampler made anew would draw its first numbers once more.
    study = optuna.create_study(sampler=TPESampler(seed=seed + start), directions=[*directions])
    study.add_trials([_finished(space, one) for one in told])
    first = [] if start else [as_mapping(default_point(space))]
    return first + [_ask(study, space) for _ in range(stop - start - len(first))]


def _finished(space: Space, told: Told) -> optuna.trial.FrozenTrial:
    values = {
        name: told.hyperparameters[name]
        for name, allowed in space.items()
        if is_drawn(allowed, told.hyperparameters)
    }
    kinds = {name: distribution(space[name]) for name in values}
    if told.values is None:
        return create_trial(state=TrialState.FAIL, params=values, distributions=kinds)
    return create_trial(values=list(told.values), params=values, distributions=kinds)


def _ask(study: optuna.Study, space: Space) -> dict[str, Any]:
    trial = study.ask()
    values: dict[str, Any] = {}
    for name, allowed in space.items():
        if not is_drawn(allowed, values):
            continue
        if isinstance(allowed, Choices):
            values[name] = trial.suggest_categorical(name, list(allowed.values))
        elif allowed.whole:
            values[name] = trial.suggest_int(name, int(allowed.low), int(allowed.high), log=allowed.log)
        else:
            values[name] = trial.suggest_float(name, allowed.low, allowed.high, log=allowed.log)
    return as_mapping(read_hyperparameters(values, where="search_space"))


def _draw_grid(space: Space, stop: int, seed: int) -> list[dict[str, Any]]:
    grid = {name: _grid_values(name, allowed) for name, allowed in space.items()}
    size = math.prod(len(values) for values in grid.values())
    if size > MAX_GRID:
        raise BadInputError(f"a grid has at most {MAX_GRID} points", where="search_space", value=size)
    study = optuna.create_study(sampler=GridSampler(grid, seed=seed))
    points: list[dict[str, Any]] = []
    for _ in range(size):  # conditions make points of the grid the same
        if len(points) == stop:
            break
        point = _ask(study, space)
        if point not in points:
            points.append(point)
    return points


def _grid_values(name: str, allowed: Choices | Range) -> list[Any]:
    if isinstance(allowed, Choices):
        return list(allowed.values)
    if allowed.steps is None and not allowed.whole:
        fix = "write `{low, high, steps}` or `{choices: […]}`"
        raise BadInputError("a grid needs to know how many values", where=f"search_space.{name}", fix=fix)
    steps = allowed.steps or int(allowed.high - allowed.low) + 1
    if steps > MAX_GRID:
        raise BadInputError(f"at most {MAX_GRID} values", where=f"search_space.{name}", value=steps)
    values = [_between(allowed, place / max(1, steps - 1)) for place in range(steps)]
    return list(dict.fromkeys(round(value) for value in values)) if allowed.whole else values


def _between(allowed: Range, share: float) -> float:
    low, high = (math.log(end) if allowed.log else end for end in (allowed.low, allowed.high))
    value = low + share * (high - low)
    return min(max(math.exp(value) if allowed.log else value, allowed.low), allowed.high)

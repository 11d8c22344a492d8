"""The search space: what a user may write, and the points drawn from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, cast, get_type_hints

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.training.hyperparameters import BOUNDS, Hyperparameters, as_mapping, read_hyperparameters

Space = dict[str, BaseDistribution]

# Searched when the user says nothing; what is absent stays at its default.
DEFAULT_SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1.5e-3, "high": 1e-2, "log": True},
    "batch_size": {"choices": [1024, 2048]},
    "layers": {"low": 1, "high": 2},
    "units": {"choices": [64, 128]},
    "embedding_dimension": {"choices": [8, 16]},
    "dropout": {"low": 0.0, "high": 0.2},
}

_HINTS = get_type_hints(Hyperparameters)
_NAMES = [field.name for field in dataclasses.fields(Hyperparameters)]


def read_space(search_space: Mapping[str, Any]) -> Space:
    """Read a search space.

    Args:
        search_space: By hyperparameter `{low, high}` with an optional `log`, `{choices: […]}`, or one
            value. An empty mapping is `DEFAULT_SPACE`; what is absent from another stays at its default.

    Returns:
        The distribution of every hyperparameter that was named, in the order of `Hyperparameters`.

    Raises:
        BadInputError: A name is unknown, a form is none of these, or a value has the wrong type or lies
            outside the hyperparameter's bounds.
    """
    asked = search_space or DEFAULT_SPACE
    require_known(asked, _NAMES, where="parameter `search_space`")
    return {name: _distribution(name, whole(asked[name])) for name in _NAMES if name in asked}


def default_point(space: Space) -> Hyperparameters:
    """Return trial 0: the defaults, moved into the space where they lie outside it."""
    values = {name: _default(name, distribution) for name, distribution in space.items()}
    return read_hyperparameters(values, where="search_space")


def _distribution(name: str, value: Any) -> BaseDistribution:
    where = f"search_space.{name}"
    if not isinstance(value, Mapping):
        return CategoricalDistribution([_checked(name, value, where)])
    settings = cast("Mapping[str, Any]", value)
    if "choices" in settings:
        require_known(settings, ("choices",), where=where)
        return _choices(name, settings["choices"], where)
    require_known(settings, ("low", "high", "log"), where=where)
    if "low" not in settings or "high" not in settings:
        fix = "write `{low, high}`, `{choices: […]}` or one value"
        raise BadInputError("neither a range nor choices", where=where, value=dict(settings), fix=fix)
    return _range(name, settings, where)


def _choices(name: str, choices: Any, where: str) -> BaseDistribution:
    if not isinstance(choices, list) or not choices:
        raise BadInputError("choices must be a list of at least one value", where=where, value=choices)
    return CategoricalDistribution([_checked(name, choice, where) for choice in cast("list[Any]", choices)])


def _range(name: str, settings: Mapping[str, Any], where: str) -> BaseDistribution:
    low, high = (_checked(name, settings[end], where) for end in ("low", "high"))
    log = settings.get("log", False)
    if not isinstance(log, bool):
        raise BadInputError("`log` must be true or false", where=where, value=log)
    if low > high:
        raise BadInputError("`low <= high` must hold", where=where, value={"low": low, "high": high})
    if log and low <= 0:
        raise BadInputError("`low > 0` must hold when `log` is true", where=where, value=low)
    kind = IntDistribution if _HINTS[name] is int else FloatDistribution
    return kind(low, high, log=log)


def _checked(name: str, value: Any, where: str) -> Any:
    low, high = BOUNDS[name]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or (_HINTS[name] is int and not isinstance(value, int)):
        fix = f"give {'a whole number' if _HINTS[name] is int else 'a number'}"
        raise BadInputError("not a value of this hyperparameter", where=where, value=value, fix=fix)
    if not low <= value <= high:
        raise BadInputError(f"`{low} <= {name} <= {high}` must hold", where=where, value=value)
    return _HINTS[name](value)


def _default(name: str, distribution: BaseDistribution) -> Any:
    default = as_mapping(Hyperparameters())[name]
    if isinstance(distribution, CategoricalDistribution):
        return default if default in distribution.choices else distribution.choices[0]
    bounded = cast("IntDistribution | FloatDistribution", distribution)
    if bounded.low <= default <= bounded.high:
        return default
    low, high = bounded.low, bounded.high
    middle = math.sqrt(low * high) if bounded.log else (low + high) / 2
    return _HINTS[name](middle)

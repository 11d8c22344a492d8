"""What a user may ask of a search: the space and how trials are drawn; standard library alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.training.hyperparameters import (
    BOUNDS,
    CHOICES,
    Hyperparameters,
    as_mapping,
    read_hyperparameters,
)

SAMPLERS = ("random", "qmc", "tpe", "grid")
MAX_TRIALS = 1_000  # each is a training; a typo shall not start a million of them


# Values that others must have, by hyperparameter, for this one to be drawn; empty: it always is.
Condition = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """One of some values, at least one.

    Attributes:
        values: The values.
        when: Under which condition; else the hyperparameter stays at its default.
    """

    values: tuple[Any, ...]
    when: Condition = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """All numbers between two.

    Attributes:
        low: The least.
        high: The greatest, not below the least.
        log: Drawn uniformly from the logarithms.
        whole: Whole numbers only.
        steps: Values that a grid takes of it, ends included; None: all whole numbers.
        when: Under which condition; else the hyperparameter stays at its default.
    """

    low: float
    high: float
    log: bool
    whole: bool
    steps: int | None = None
    when: Condition = ()


Space = dict[str, Choices | Range]

# Searched when the user says nothing; what is absent stays at its default.
DEFAULT_SPACE: dict[str, Any] = {
    "form": {"choices": ["mlp", "linear", "wide_and_deep"]},
    "learning_rate": {"low": 1.5e-3, "high": 1e-2, "log": True},
    "batch_size": {"choices": [1024, 2048]},
    "layers": {"low": 1, "high": 2},
    "units": {"choices": [128, 256]},
    "embedding_dimension": {"choices": [8, 16]},
    "bins": {"choices": [0, 16, 64]},
    "dropout": {"low": 0.0, "high": 0.3},
}

_HINTS = get_type_hints(Hyperparameters)
_NAMES = [field.name for field in dataclasses.fields(Hyperparameters)]


def read_space(search_space: Mapping[str, Any]) -> Space:
    """Read a search space.

    Args:
        search_space: By hyperparameter `{low, high}` with an optional `log` and `steps`, `{choices: […]}`,
            or one value; the first two with an optional `when: {other: value or list}`. An empty mapping
            is `DEFAULT_SPACE`; what is absent from another stays at its default.

    Returns:
        What every hyperparameter that was named may be; one under a condition comes after those it names,
        else the order is that of `Hyperparameters`.

    Raises:
        BadInputError: A name is unknown, a form is none of these, a value has the wrong type or lies
            outside the hyperparameter's bounds, or a condition can never be met.
    """
    asked = search_space or DEFAULT_SPACE
    require_known(asked, _NAMES, where="parameter `search_space`")
    return _order({name: _read(name, whole(asked[name])) for name in _NAMES if name in asked})


def is_drawn(allowed: Choices | Range, values: Mapping[str, Any]) -> bool:
    """Tell whether the condition holds, given the values of what was drawn before."""
    return all(name in values and values[name] in legal for name, legal in allowed.when)


def default_point(space: Space) -> Hyperparameters:
    """Return trial 0: the defaults, moved into the space where they lie outside it."""
    values: dict[str, Any] = {}
    for name, allowed in space.items():
        if is_drawn(allowed, values):
            values[name] = _default(name, allowed)
    return read_hyperparameters(values, where="search_space")


def _order(space: Space) -> Space:
    """Put what others depend on before them."""
    ordered: Space = {}
    while len(ordered) < len(space):
        ready = [
            name
            for name, allowed in space.items()
            if name not in ordered and all(other in ordered for other, _ in allowed.when)
        ]
        if not ready:
            waiting = ", ".join(name for name in space if name not in ordered)
            fix = "name only hyperparameters of this space, and none that depends on this one"
            raise BadInputError("condition can never be met", where=f"search_space.{waiting}", fix=fix)
        ordered |= {name: space[name] for name in ready}
    return ordered


def check_search(*, trials: int, sampler: str, seed: int, trials_per_task: int = 1) -> None:
    """Check how trials are drawn.

    Args:
        trials: How many. 1 to `MAX_TRIALS`.
        sampler: One of `SAMPLERS`.
        seed: Of the draw; trial n trains with `seed + n`. At least 0.
        trials_per_task: How many share a task. At least 1.

    Raises:
        BadInputError: The sampler is unknown, or a count is out of range.
    """
    _require(1 <= trials <= MAX_TRIALS, "trials", trials, f"`1 <= trials <= {MAX_TRIALS}` must hold")
    _require(trials_per_task >= 1, "trials_per_task", trials_per_task, "`trials_per_task >= 1` must hold")
    _require(
        0 <= seed < 2**31 - trials, "seed", seed, "a seed must be a whole number from 0 to 2,000,000,000"
    )
    _require(sampler in SAMPLERS, "sampler", sampler, f"known samplers: {', '.join(SAMPLERS)}")


def _require(holds: bool, name: str, value: object, what: str) -> None:
    if not holds:
        raise BadInputError(what, where=f"parameter `{name}`", value=value)


def _read(name: str, value: Any) -> Choices | Range:
    where = f"search_space.{name}"
    if isinstance(value, list):
        raise BadInputError("a list alone is no choice", where=where, fix=f"write `{{choices: {value}}}`")
    if not isinstance(value, Mapping):
        return Choices(values=(_checked(name, value, where),))
    settings = cast("Mapping[str, Any]", value)
    if "choices" in settings:
        require_known(settings, ("choices", "when"), where=where)
        return Choices(values=_choices(name, settings["choices"], where), when=_condition(settings, where))
    require_known(settings, ("low", "high", "log", "steps", "when"), where=where)
    if "low" not in settings or "high" not in settings:
        fix = "write `{low, high}`, `{choices: […]}` or one value"
        raise BadInputError("neither a range nor choices", where=where, value=dict(settings), fix=fix)
    return _range(name, settings, where)


def _choices(name: str, choices: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(choices, list) or not choices:
        raise BadInputError("choices must be a list of at least one value", where=where, value=choices)
    return tuple(dict.fromkeys(_checked(name, choice, where) for choice in cast("list[Any]", choices)))


def _condition(settings: Mapping[str, Any], where: str) -> Condition:
    when: Any = settings.get("when", {})
    if not isinstance(when, Mapping):
        raise BadInputError("`when` must map hyperparameters to values", where=where, value=when)
    asked = cast("Mapping[str, Any]", when)
    require_known(asked, _NAMES, where=f"{where}.when")
    place = f"{where}.when"
    listed = {other: value if isinstance(value, list) else [value] for other, value in asked.items()}
    return tuple((other, _choices(other, values, place)) for other, values in listed.items())


def _range(name: str, settings: Mapping[str, Any], where: str) -> Range:
    if name in CHOICES:
        raise BadInputError("words have no range", where=where, fix="write `{choices: […]}` or one value")
    low, high = (_checked(name, settings[end], where) for end in ("low", "high"))
    log = settings.get("log", False)
    if not isinstance(log, bool):
        raise BadInputError("`log` must be true or false", where=where, value=log)
    if low > high:
        raise BadInputError("`low <= high` must hold", where=where, value={"low": low, "high": high})
    if log and low <= 0:
        raise BadInputError("`low > 0` must hold when `log` is true", where=where, value=low)
    steps = settings.get("steps")
    if steps is not None and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 2):
        raise BadInputError("`steps >= 2` must hold for a whole number", where=where, value=steps)
    return Range(
        low=low, high=high, log=log, whole=_HINTS[name] is int, steps=steps,
        when=_condition(settings, where),
    )  # fmt: skip


def _checked(name: str, value: Any, where: str) -> Any:
    if name in CHOICES:
        if value not in CHOICES[name]:
            fix = f"give one of {', '.join(CHOICES[name])}"
            raise BadInputError("not a value of this hyperparameter", where=where, value=value, fix=fix)
        return value
    low, high = BOUNDS[name]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or (_HINTS[name] is int and not isinstance(value, int)):
        fix = f"give {'a whole number' if _HINTS[name] is int else 'a number'}"
        raise BadInputError("not a value of this hyperparameter", where=where, value=value, fix=fix)
    if not low <= value <= high:
        raise BadInputError(f"`{low} <= {name} <= {high}` must hold", where=where, value=value)
    return _HINTS[name](value)


def _default(name: str, allowed: Choices | Range) -> Any:
    default = as_mapping(Hyperparameters())[name]
    if isinstance(allowed, Choices):
        return default if default in allowed.values else allowed.values[0]
    if allowed.low <= default <= allowed.high:
        return default
    middle = math.sqrt(allowed.low * allowed.high) if allowed.log else (allowed.low + allowed.high) / 2
    return _HINTS[name](middle)

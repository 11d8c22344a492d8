"""What a model must reach: the parameter `thresholds`, checked and with its defaults filled in."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.common.artifacts import Task
from components.common.config import require_known
from components.common.errors import BadInputError
from components.evaluation.catalogue import GROUP_METRICS, METRICS, WITHOUT_DIRECTION

_WHERE = "parameter `thresholds`"

Limits = dict[str, dict[str, float]]  # metric -> kind of limit -> number


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What is asked of a model.

    Attributes:
        bounds: `{metric: {"min": …, "max": …, "max_regression": …}}`, any of them; `min` and `max` are held
            against the metric's value, `max_regression` as below, for this metric.
        slices: `{column: {metric: {"min": …, "max": …}}}`, held against every measured value of the column.
        groups: `{column: {metric: {"max_difference": …, "min_ratio": …}}}`, held against the lowest and the
            highest of the column's values.
        max_regression: How much worse than the baseline the primary metric may be: AUC absolute, log
            loss and MSE as a share of the baseline's. None: no comparison is asked for.
        max_reference_gap: How much worse than the reference model the primary metric may be, likewise.
            None: the reference is told and refuses nothing.
        better_than_constant: Refuse a model that is not shown to beat a constant answer.
    """

    bounds: Limits = field(default_factory=dict[str, dict[str, float]])
    slices: dict[str, Limits] = field(default_factory=dict[str, Limits])
    groups: dict[str, Limits] = field(default_factory=dict[str, Limits])
    max_regression: float | None = 0.01
    max_reference_gap: float | None = None
    better_than_constant: bool = True

    def as_mapping(self) -> dict[str, Any]:
        """Return the form in which users write it, defaults filled in."""
        parts = {name: part for name, part in (("slices", self.slices), ("groups", self.groups)) if part}
        return {
            **self.bounds,
            **parts,
            "max_regression": self.max_regression,
            "max_reference_gap": self.max_reference_gap,
            "better_than_constant": self.better_than_constant,
        }


def read_thresholds(given: Mapping[str, Any], task: Task | None = None) -> Thresholds:
    """Check what a user wrote, such as `{auc: {min: 0.7}, max_regression: 0.02}`.

    Args:
        given: Metrics with bounds, `slices`, `groups`, `max_regression`, `max_reference_gap`,
            `better_than_constant`; any may be missing.
        task: Says which metrics there are; None, before it is known, takes those of all tasks.

    Raises:
        BadInputError: An unknown name (the nearest is suggested), a bound that is no finite number, or
            bounds that no value can meet.
    """
    metrics = _names(METRICS, task)
    extra = ("slices", "groups", "max_regression", "max_reference_gap", "better_than_constant")
    require_known(given, [*metrics, *extra], where="thresholds")
    better = given.get("better_than_constant", True)
    if not isinstance(better, bool):
        raise BadInputError("`better_than_constant` must be true or false", where=_WHERE, value=better)
    overall = {name: given[name] for name in metrics if name in given}
    return Thresholds(
        bounds=_read_limits(overall, metrics, ("min", "max", "max_regression"), "thresholds"),
        slices=_read_columns(given, "slices", metrics, ("min", "max")),
        groups=_read_columns(given, "groups", _names(GROUP_METRICS, task), ("max_difference", "min_ratio")),
        max_regression=_read_margin("max_regression", given.get("max_regression", 0.01)),
        max_reference_gap=_read_margin("max_reference_gap", given.get("max_reference_gap")),
        better_than_constant=better,
    )


def _names(table: Mapping[Task, tuple[str, ...]], task: Task | None) -> list[str]:
    return list(dict.fromkeys(name for key in table if task in (None, key) for name in table[key]))


def _read_columns(
    given: Mapping[str, Any], part: str, metrics: Collection[str], kinds: tuple[str, ...]
) -> dict[str, Limits]:
    columns = given.get(part, {})
    if not isinstance(columns, Mapping):
        fix = f"write `{part}: {{column: {{metric: {{{kinds[0]}: …}}}}}}`"
        raise BadInputError(f"`{part}` must be a mapping of columns", where=_WHERE, value=columns, fix=fix)
    return {
        str(column): _read_limits(limits, metrics, kinds, f"thresholds.{part}.{column}")
        for column, limits in columns.items()
    }


def _read_limits(given: Any, metrics: Collection[str], kinds: tuple[str, ...], where: str) -> Limits:
    if not isinstance(given, Mapping):
        fix = f"write `metric: {{{kinds[0]}: …}}`"
        raise BadInputError("thresholds must be a mapping of metrics", where=where, value=given, fix=fix)
    require_known(given, metrics, where=where)
    return {str(name): _read_bounds(str(name), given[name], kinds, where) for name in given}


def _read_bounds(name: str, given: Any, kinds: tuple[str, ...], where: str) -> dict[str, float]:
    if not isinstance(given, Mapping) or not given:
        fix = f"write `{name}: {{{kinds[0]}: …}}` or `{name}: {{{kinds[1]}: …}}`"
        raise BadInputError("a metric's threshold must be a mapping", where=where, value=given, fix=fix)
    require_known(given, kinds, where=f"{where}.{name}")
    bounds = {key: _number(f"{name}.{key}", given[key]) for key in kinds if key in given}
    if bounds.get("min", -math.inf) > bounds.get("max", math.inf):
        raise BadInputError(f"`{name}.min <= {name}.max` must hold", where=_WHERE, value=bounds)
    for key in ("max_regression", "max_difference", "min_ratio"):
        if bounds.get(key, 0.0) < 0.0:
            raise BadInputError(f"`{name}.{key} >= 0` must hold", where=_WHERE, value=bounds[key])
    if "max_regression" in bounds and name in WITHOUT_DIRECTION:
        raise BadInputError(f"`{name}` cannot get worse", where=_WHERE, fix="bound it by `min` and `max`")
    return bounds


def _read_margin(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if _number(name, value) < 0.0:
        raise BadInputError(f"`{name} >= 0` must hold", where=_WHERE, value=value)
    return float(value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInputError(f"`{name}` must be a finite number", where=_WHERE, value=value)
    return float(value)

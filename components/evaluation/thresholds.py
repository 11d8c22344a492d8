"""What a model must reach: the parameter `thresholds`, checked and with its defaults filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.common.artifacts import Task
from components.common.config import require_known
from components.common.errors import BadInputError
from components.evaluation.measure import METRICS

_WHERE = "parameter `thresholds`"


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What is asked of a model.

    Attributes:
        bounds: `{metric: {"min": …, "max": …}}`, one of them or both; held against the metric's value.
        max_regression: How much worse than the baseline the primary metric may be: AUC absolute, log
            loss and MSE as a share of the baseline's. None: no comparison is asked for.
        better_than_constant: Refuse a model that is not shown to beat a constant answer.
    """

    bounds: dict[str, dict[str, float]] = field(default_factory=dict)
    max_regression: float | None = 0.01
    better_than_constant: bool = True

    def as_mapping(self) -> dict[str, Any]:
        """Return the form in which users write it, defaults filled in."""
        return {
            **self.bounds,
            "max_regression": self.max_regression,
            "better_than_constant": self.better_than_constant,
        }


def read_thresholds(given: Mapping[str, Any], task: Task) -> Thresholds:
    """Check what a user wrote, such as `{auc: {min: 0.7}, max_regression: 0.02}`.

    Args:
        given: Metrics with bounds, `max_regression`, `better_than_constant`; any may be missing.
        task: Says which metrics there are.

    Raises:
        BadInputError: An unknown name (the nearest is suggested), a bound that is no finite number, or
            bounds that no value can meet.
    """
    extra = ("max_regression", "better_than_constant")
    require_known(given, [*METRICS[task], *extra], where="thresholds")
    bounds = {name: _read_bounds(name, given[name]) for name in METRICS[task] if name in given}
    better = given.get("better_than_constant", True)
    if not isinstance(better, bool):
        raise BadInputError("`better_than_constant` must be true or false", where=_WHERE, value=better)
    regression = given.get("max_regression", Thresholds.max_regression)
    if regression is not None and _number("max_regression", regression) < 0.0:
        raise BadInputError("`max_regression >= 0` must hold", where=_WHERE, value=regression)
    return Thresholds(bounds=bounds, max_regression=regression, better_than_constant=better)


def _read_bounds(name: str, given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping) or not given:
        fix = f"write `{name}: {{min: …}}` or `{name}: {{max: …}}`"
        raise BadInputError("a metric's threshold must be a mapping", where=_WHERE, value=given, fix=fix)
    require_known(given, ["min", "max"], where=f"thresholds.{name}")
    bounds = {key: _number(f"{name}.{key}", given[key]) for key in ("min", "max") if key in given}
    if bounds.get("min", -math.inf) > bounds.get("max", math.inf):
        raise BadInputError(f"`{name}.min <= {name}.max` must hold", where=_WHERE, value=bounds)
    return bounds


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInputError(f"`{name}` must be a finite number", where=_WHERE, value=value)
    return float(value)

"""One question to the model and its answer, and what is common to all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.evaluation.estimate import Estimate
from components.evaluation.show import show, show_interval, show_value

_WORDS = {"min": "at least", "max": "at most"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One question to the model and its answer.

    Attributes:
        name: What was checked.
        wanted: What was asked for, in words.
        seen: What was found, in words.
        passed: Whether that suffices.
        fix: What the reader may do when it does not.
    """

    name: str
    wanted: str
    seen: str
    passed: bool
    fix: str = ""

    @property
    def reason(self) -> str:
        """One line that says why it failed."""
        tail = f"; {self.fix}" if self.fix else ""
        return f"{self.name}: {self.seen}, but wanted {self.wanted}{tail}"


def check_bounds(
    metric: str, estimate: Estimate | None, bounds: Mapping[str, float], name: str | None = None
) -> Check:
    """Hold a metric's value against `min` and `max`; one that cannot be said fails.

    Args:
        metric: The metric.
        estimate: What was measured, or None.
        bounds: `min`, `max` or both.
        name: Name of the check; the metric's when None.
    """
    value = estimate.value if estimate else math.nan
    return Check(
        name=name or metric,
        wanted=name_bounds(bounds),
        seen=say(metric, estimate),
        passed=bounds.get("min", -math.inf) <= value <= bounds.get("max", math.inf),
    )


def name_bounds(bounds: Mapping[str, float]) -> str:
    """Return `min` and `max` in words."""
    return " and ".join(f"{word} {show(bounds[key])}" for key, word in _WORDS.items() if key in bounds)


def say(metric: str, estimate: Estimate | None) -> str:
    """Return a metric's value and interval, or that there is none."""
    return f"{show_value(estimate)} ({show_interval(estimate)})" if estimate else cannot_say(metric)


def cannot_say(metric: str) -> str:
    """Return that a metric cannot be measured."""
    return f"{metric} cannot be measured on this test split"

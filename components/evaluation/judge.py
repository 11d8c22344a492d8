"""The gate: what was measured against what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task, Verdict
from components.evaluation.compare import Comparison
from components.evaluation.estimate import Estimate, mean_estimate
from components.evaluation.measure import LARGER_IS_BETTER, PRIMARY, worse_by
from components.evaluation.measure_classes import constant_losses, log_losses
from components.evaluation.show import show, show_change, show_interval, show_value
from components.evaluation.thresholds import Thresholds


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the gate looks at.

    Attributes:
        task: What is predicted.
        labels: `[rows]`.
        answers: `[rows]` or `[rows, classes]`.
        estimates: Metrics of the answers.
        comparison: With the baseline; None when there is none yet.
    """

    task: Task
    labels: NDArray[Any]
    answers: NDArray[np.float32]
    estimates: dict[str, Estimate]
    comparison: Comparison | None


def judge_model(judged: Judged, thresholds: Thresholds) -> list[Check]:
    """Hold a model against all that is asked of it, gravest question first.

    NaN passes nothing: a metric that cannot be said fails every check that needs it.
    """
    checks = [_check_answers(judged.answers)]
    if thresholds.better_than_constant:
        checks.append(_check_constant(judged))
    if judged.comparison and thresholds.max_regression is not None:
        checks.append(_check_baseline(judged, judged.comparison, thresholds.max_regression))
    for name, bounds in thresholds.bounds.items():
        checks.append(_check_bounds(name, judged.estimates.get(name), bounds))
    return checks


def decide(checks: Sequence[Check], comparison: Comparison | None, notices: Sequence[str]) -> Verdict:
    """Sum the checks up.

    Args:
        checks: From `judge_model`.
        comparison: None when there is no baseline yet, which is an outcome of its own.
        notices: What shall be said although it refuses nothing.
    """
    passed = all(check.passed for check in checks)
    outcome = "blessed" if passed else "not blessed"
    if passed and comparison is None:
        outcome = "blessed (no baseline yet)"
    return Verdict(
        passed=passed,
        outcome=outcome,
        reasons=[*(check.reason for check in checks if not check.passed), *notices],
    )


def _check_answers(answers: NDArray[np.float32]) -> Check:
    rows = len(answers)
    bad = int(np.count_nonzero(~np.isfinite(answers).reshape(rows, -1).all(axis=1)))
    seen = f"{bad:,} of {rows:,} are NaN or infinite" if bad else f"all {rows:,} are finite"
    return Check(name="answers", wanted="finite numbers", seen=seen, passed=bad == 0)


def _check_constant(judged: Judged) -> Check:
    if judged.task == "multiclass":
        metric, floor, estimate = "log_loss saved by the model", 0.0, _save_loss(judged)
    else:
        metric, floor = ("auc", 0.5) if judged.task == "binary" else ("r2", 0.0)
        estimate = judged.estimates.get(metric)
    seen = f"{show_value(estimate)} ({show_interval(estimate)})" if estimate else _cannot_say(metric)
    return Check(
        name="better than a constant",
        wanted=f"{metric} with its interval above {floor:g}",
        seen=seen,
        passed=estimate is not None and estimate.low > floor,
    )


def _save_loss(judged: Judged) -> Estimate | None:
    """Estimate how much log loss the model saves, row by row, against the test labels' own shares."""
    if "log_loss" not in judged.estimates:
        return None
    losses = log_losses(judged.labels, judged.answers.astype(np.float64))
    return mean_estimate(constant_losses(judged.labels) - losses)


def _check_baseline(judged: Judged, comparison: Comparison, max_regression: float) -> Check:
    name, metric = "not worse than the baseline", PRIMARY[judged.task]
    relative = metric not in LARGER_IS_BETTER
    most = f"{100 * max_regression:g} %" if relative else f"{max_regression:g}"
    wanted = f"{metric} {'higher' if relative else 'lower'} by at most {most}"
    change = comparison.differences.get(metric)
    if change is None:
        fix = "set `thresholds.max_regression` to null to go on without a comparison"
        return Check(
            name=name, wanted=wanted, seen=comparison.obstacle or _cannot_say(metric), passed=False, fix=fix
        )
    margin = max_regression * (comparison.estimates[metric].value if relative else 1.0)
    least = min(worse_by(metric, change.low), worse_by(metric, change.high))
    seen = f"{metric} changed by {show_change(change)} ({show_interval(change)})"
    return Check(name=name, wanted=wanted, seen=seen, passed=least <= margin)


def _check_bounds(name: str, estimate: Estimate | None, bounds: dict[str, float]) -> Check:
    words = {"min": "at least", "max": "at most"}
    wanted = " and ".join(f"{words[key]} {show(bound)}" for key, bound in bounds.items())
    if estimate is None:
        return Check(name=name, wanted=wanted, seen=_cannot_say(name), passed=False)
    value = estimate.value
    passed = bounds.get("min", value) <= value <= bounds.get("max", value)
    seen = f"{show_value(estimate)} ({show_interval(estimate)})"
    return Check(name=name, wanted=wanted, seen=seen, passed=passed)


def _cannot_say(metric: str) -> str:
    return f"{metric} cannot be measured on this test split"

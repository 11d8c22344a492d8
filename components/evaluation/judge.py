"""The gate: what was measured against what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Verdict
from components.evaluation.catalogue import LARGER_IS_BETTER, PRIMARY, WITHOUT_DIRECTION, worse_by
from components.evaluation.check import Check, cannot_say, check_bounds, say
from components.evaluation.check_parts import check_expectation, check_groups, check_slices
from components.evaluation.check_sanity import SanityTest
from components.evaluation.compare_groups import Gap
from components.evaluation.estimate import Estimate
from components.evaluation.judged import Comparison, Judged
from components.evaluation.show import show_change, show_interval
from components.evaluation.slice import Slices
from components.evaluation.thresholds import Thresholds


def judge_model(
    judged: Judged,
    thresholds: Thresholds,
    *,
    slices: Slices | None = None,
    gaps: Sequence[Gap] = (),
    sanity: Sequence[SanityTest] = (),
) -> list[Check]:
    """Hold a model against all that is asked of it, gravest question first.

    NaN passes nothing: a metric that cannot be said fails every check that needs it.

    Args:
        judged: The model, its metrics and its comparisons.
        thresholds: What is asked.
        slices: Metrics of the slices that thresholds name.
        gaps: Gaps between the groups that thresholds name.
        sanity: Expectations, tried.
    """
    checks = [_check_answers(judged.answers)]
    if thresholds.better_than_constant:
        checks.append(_check_constant(judged))
    if judged.baseline and thresholds.max_regression is not None:
        checks.append(
            _check_baseline(judged, judged.baseline, PRIMARY[judged.task], thresholds.max_regression)
        )
    if thresholds.max_reference_gap is not None:
        checks.append(_check_reference(judged, thresholds.max_reference_gap))
    for name, bounds in thresholds.bounds.items():
        if "min" in bounds or "max" in bounds:
            checks.append(check_bounds(name, judged.estimates.get(name), bounds))
        if judged.baseline and "max_regression" in bounds:
            checks.append(_check_baseline(judged, judged.baseline, name, bounds["max_regression"]))
    checks += check_slices(thresholds, slices) if slices else []
    checks += check_groups(thresholds, gaps)
    return [*checks, *map(check_expectation, sanity)]


def decide(checks: Sequence[Check], baseline: Comparison | None, notices: Sequence[str]) -> Verdict:
    """Sum the checks up.

    Args:
        checks: From `judge_model`.
        baseline: None when there is no baseline yet, which is an outcome of its own.
        notices: What shall be said although it refuses nothing.
    """
    passed = all(check.passed for check in checks)
    outcome = "blessed" if passed else "not blessed"
    if passed and baseline is None:
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
    return Check(
        name="better than a constant",
        wanted=f"{metric} with its interval above {floor:g}",
        seen=say(metric, estimate),
        passed=estimate is not None and estimate.low > floor,
    )


def _save_loss(judged: Judged) -> Estimate | None:
    """Return how much log loss the model saves, row by row, against the test labels' own shares."""
    change = judged.constant.differences.get("log_loss") if judged.constant else None
    return Estimate(value=-change.value, low=-change.high, high=-change.low) if change else None


def _check_baseline(judged: Judged, baseline: Comparison, metric: str, margin: float) -> Check:
    own = metric == PRIMARY[judged.task]
    return _check_margin(
        "not worse than the baseline" if own else f"{metric} not worse than the baseline's",
        metric,
        baseline,
        margin,
        fix="set `thresholds.max_regression` to null to go on without a comparison",
    )


def _check_reference(judged: Judged, margin: float) -> Check:
    fix = "set `thresholds.max_reference_gap` to null, or see why there is no reference"
    other = judged.reference or Comparison(
        who="the reference model", obstacle="there is no reference: `evaluation.reference_rows` is 0"
    )
    name = "not far behind the reference"
    return _check_margin(name, PRIMARY[judged.task], other, margin, fix=fix)


def _check_margin(name: str, metric: str, other: Comparison, most: float, *, fix: str) -> Check:
    """Refuse only when the whole paired interval is worse than another's metric by more than a margin."""
    relative = metric not in LARGER_IS_BETTER and metric not in WITHOUT_DIRECTION
    told = f"{100 * most:g} %" if relative else f"{most:g}"
    wanted = f"{metric} {'higher' if relative else 'lower'} by at most {told}"
    change = other.differences.get(metric)
    if change is None:
        return Check(
            name=name, wanted=wanted, seen=other.obstacle or cannot_say(metric), passed=False, fix=fix
        )
    margin = most * (other.estimates[metric].value if relative else 1.0)
    least = min(worse_by(metric, change.low), worse_by(metric, change.high))
    seen = f"{metric} changed by {show_change(change)} ({show_interval(change)})"
    return Check(name=name, wanted=wanted, seen=seen, passed=least <= margin)

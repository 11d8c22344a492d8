"""The gate for parts of the rows: slices, groups, and rows that were changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.evaluation.check import Check, check_bounds, name_bounds, say
from components.evaluation.check_sanity import SanityTest
from components.evaluation.compare_groups import Gap
from components.evaluation.show import show
from components.evaluation.slice import Slices
from components.evaluation.thresholds import Thresholds

_EXPECTED = {
    "invariant": "answers to stay when it changes",
    "increasing": "no answer to fall when it rises",
    "decreasing": "no answer to rise when it rises",
}


def check_slices(thresholds: Thresholds, slices: Slices) -> list[Check]:
    """Hold every measured value of the columns that thresholds name against their bounds."""
    checks: list[Check] = []
    for column, limits in thresholds.slices.items():
        measured = slices.of((column,))
        for metric, bounds in limits.items():
            found = [
                check_bounds(metric, one.estimates.get(metric), bounds, f"{metric} where {one.name}")
                for one in measured
            ]
            failed = [check for check in found if not check.passed]
            checks += failed or [_summarise(column, metric, bounds, len(found))]
    return checks


def _summarise(column: str, metric: str, bounds: Mapping[str, float], count: int) -> Check:
    seen = f"all {count:,} measured values do" if count else f"no value of `{column}` has enough rows"
    return Check(name=f"{metric} by `{column}`", wanted=name_bounds(bounds), seen=seen, passed=count > 0)


def check_groups(thresholds: Thresholds, gaps: Sequence[Gap]) -> list[Check]:
    """Hold the extremes of the columns that thresholds name against their limits."""
    known = {(gap.column, gap.metric): gap for gap in gaps}
    return [
        _check_gap(column, metric, known.get((column, metric)), kind, limit)
        for column, limits in thresholds.groups.items()
        for metric, bounds in limits.items()
        for kind, limit in bounds.items()
    ]


def _check_gap(column: str, metric: str, gap: Gap | None, kind: str, limit: float) -> Check:
    name = f"{metric} between groups of `{column}`"
    found = gap and (gap.difference if kind == "max_difference" else gap.ratio)
    words = "difference at most" if kind == "max_difference" else "ratio at least"
    if not gap or not found:
        seen = "it cannot be measured in two groups"
        return Check(name=name, wanted=f"{words} {show(limit)}", seen=seen, passed=False)
    passed = found.value <= limit if kind == "max_difference" else found.value >= limit
    ends = f"{gap.lowest}: {show(gap.low)}; {gap.highest}: {show(gap.high)}"
    return Check(
        name=name, wanted=f"{words} {show(limit)}", seen=f"{say('', found)}, {ends}", passed=passed
    )


def check_expectation(test: SanityTest) -> Check:
    """Say whether an expectation held."""
    return Check(
        name=f"`{test.column}` is {test.expectation}",
        wanted=_EXPECTED[test.expectation],
        seen=f"it held for {100 * test.share:.1f} % of {test.rows:,} rows, "
        f"the largest change against it was {show(test.largest)}",
        passed=test.passed,
    )

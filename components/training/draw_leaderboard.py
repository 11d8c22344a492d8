"""Drawing the leaderboard: the table, the history of the search, and what mattered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.page import write_page
from components.training.objectives import Rule
from components.training.records import TrialRecord

# The plot's corners inside a view box of 640 x 220.
_LEFT, _RIGHT, _TOP, _BOTTOM = 60.0, 630.0, 14.0, 180.0


@dataclass(frozen=True, kw_only=True)
class History:
    """The search in the order of trials, as coordinates.

    Attributes:
        points: Of each complete trial: x, y, number, value.
        best: The best value so far, as SVG wants a line.
        reference: y of the reference; None without one.
        low: Label of the lower end.
        high: Label of the upper end.
        last: Greatest number.
    """

    points: list[tuple[float, float, int, str]]
    best: str
    reference: float | None
    low: str
    high: str
    last: int


def draw_leaderboard(
    page: Path, ranked: Sequence[TrialRecord], rule: Rule, *, best: int, pareto: Sequence[int],
    broken: Mapping[int, Sequence[str]], importance: Mapping[str, float],
    reference: Mapping[str, float] | None,
) -> None:  # fmt: skip
    """Write the page.

    Args:
        page: The HTML file to write.
        ranked: All trials, best first.
        rule: How the best one was found.
        best: Its number.
        pareto: Numbers of the trials that no other one dominates.
        broken: Constraints that a trial breaks, by number.
        importance: Share by hyperparameter.
        reference: Metrics of the reference, or None.
    """
    points = [record.hyperparameters for record in ranked]
    varied = [name for name in points[0] if len({json.dumps(point.get(name)) for point in points}) > 1]
    first = rule.objectives[0].metric
    counts = {
        state: sum(one.state == state for one in ranked) for state in ("complete", "stopped", "failed")
    }
    write_page(
        page, Path(__file__).with_name("leaderboard.html"), title="Search", ranked=ranked, rule=rule,
        metrics=rule.needed, varied=varied, best=best, pareto=pareto, broken=broken,
        importance=importance, reference=reference, counts=counts,
        rounds=1 + max(one.round for one in ranked),
        history=draw_history(ranked, rule, None if reference is None else reference.get(first)),
    )  # fmt: skip


def draw_history(ranked: Sequence[TrialRecord], rule: Rule, reference: float | None) -> History | None:
    """Return the coordinates of all complete trials; None when there is none."""
    objective = rule.objectives[0]
    complete = sorted((one for one in ranked if one.state == "complete"), key=lambda one: one.number)
    if not complete:
        return None
    values = [one.metrics[objective.metric] for one in complete]
    ends = values if reference is None else [*values, reference]
    low, high, last = min(ends), max(ends), max(one.number for one in ranked)

    def x(number: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * number / max(1, last), 1)

    def y(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low or 1.0), 1)

    return History(
        points=[
            (x(one.number), y(value), one.number, f"{value:.4g}")
            for one, value in zip(complete, values, strict=True)
        ],
        best=_steps(complete, values, x, y, maximise=objective.maximise),
        reference=None if reference is None else y(reference),
        low=f"{low:.4g}", high=f"{high:.4g}", last=last,
    )  # fmt: skip


def _steps(
    complete: Sequence[TrialRecord], values: Sequence[float], x: Any, y: Any, *, maximise: bool
) -> str:
    best, corners = values[0], list[str]()
    for one, value in zip(complete, values, strict=True):
        corners.append(f"{x(one.number)},{y(best)}")
        best = max(best, value) if maximise else min(best, value)
        corners.append(f"{x(one.number)},{y(best)}")
    return " ".join([*corners, f"{_RIGHT},{y(best)}"])

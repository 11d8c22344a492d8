"""The rows of the report's tables, each number written and each interval placed on a strip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.evaluation.catalogue import (
    CLASS_METRICS,
    PRIMARY,
    TITLES,
    WITHOUT_DIRECTION,
    worse_by,
)
from components.evaluation.charts import draw_strip
from components.evaluation.compare_groups import Gap
from components.evaluation.estimate import Estimate
from components.evaluation.findings import Findings
from components.evaluation.judged import Comparison, Judged
from components.evaluation.permute import Importance
from components.evaluation.search_slices import Search
from components.evaluation.show import show, show_change, show_interval, show_value
from components.evaluation.slice import Slice

Rows = list[dict[str, Any]]


def compare_rows(judged: Judged, other: Comparison | None) -> Rows:
    """Return each metric of the model, of another, and their difference."""
    return [
        {
            "title": TITLES[name],
            "new": show_value(judged.estimates[name]),
            "old": show_value(other.estimates[name]) if other else "",
            **_difference(name, change),
        }
        for name, change in (other.differences if other else {}).items()
    ]


def other_rows(judged: Judged) -> Rows:
    """Return the main metrics against the constant and the reference."""
    main = list(dict.fromkeys((PRIMARY[judged.task], "log_loss", "brier", "mae")))
    rows: Rows = []
    for other in filter(None, (judged.constant, judged.reference)):
        if other.obstacle:
            rows.append({"who": other.who, "obstacle": other.obstacle})
        found = {row["title"]: row for row in compare_rows(judged, other)}
        titles = [TITLES[name] for name in main]
        told = [found[title] for title in titles if title in found]
        names = [other.who, *("" for _ in told)]  # once, ahead of the first
        rows += [{"who": who, "obstacle": None, **row} for who, row in zip(names, told, strict=False)]
    return rows


def slice_rows(judged: Judged, slices: Sequence[Slice]) -> Rows:
    """Return slices with the primary metric, on one scale with the whole test split."""
    name = PRIMARY[judged.task]
    overall = judged.estimates.get(name)
    known = [found.estimates[name] for found in slices if name in found.estimates]
    if not known or overall is None:
        return [_slice_row(found, None, None) for found in slices]
    low = min(overall.value, *(estimate.low for estimate in known))
    high = max(overall.value, *(estimate.high for estimate in known))
    high = high if high > low else low + 1.0
    rows: Rows = []
    for found in slices:
        estimate = found.estimates.get(name)
        strip = draw_strip(estimate, low, high, overall.value) if estimate else None
        rows.append(_slice_row(found, estimate, strip))
    return rows


def weak_rows(search: Search) -> Rows:
    """Return the slices that were found to cost more than the rest."""
    return [
        {
            "name": found.slice.name,
            "rows": f"{found.slice.rows:,}",
            "loss": show(found.loss),
            "rest": show(found.rest),
            "chance": "below 0.001" if found.p_value < 0.001 else f"{found.p_value:.3f}",
        }
        for found in search.found
    ]


def gap_rows(gaps: Sequence[Gap]) -> Rows:
    """Return the gaps between groups."""
    return [
        {
            "column": gap.column,
            "title": TITLES[gap.metric],
            "cells": [
                (gap.lowest.removeprefix(f"{gap.column} = "), show(gap.low)),
                (gap.highest.removeprefix(f"{gap.column} = "), show(gap.high)),
                _cell(gap.difference),
                _cell(gap.ratio),
            ],
        }
        for gap in gaps
    ]


def importance_rows(importance: Sequence[Importance]) -> Rows:
    """Return columns by what they are worth, on one scale."""
    if not importance:
        return []
    low = min(0.0, *(one.harm.low for one in importance), 0.0)
    high = max(0.0, *(one.harm.high for one in importance), 0.0)
    high = high if high > low else low + 1.0
    return [
        {
            "column": one.column,
            "number": show_change(one.harm),
            "interval": show_interval(one.harm),
            "strip": draw_strip(one.harm, low, high, 0.0),
        }
        for one in importance
    ]


def class_rows(findings: Findings) -> Rows:
    """Return each class of a multi-class model, in the model's order."""
    named = zip(findings.model.record.classes, findings.classes, strict=False)
    return [
        {"name": name, "cells": [_cell(found.get(metric)) for metric in CLASS_METRICS]}
        for name, found in named
    ]


def _difference(name: str, change: Estimate) -> dict[str, Any]:
    reach = 1.1 * max(abs(change.low), abs(change.high)) or 1.0
    return {
        "change": show_change(change),
        "interval": show_interval(change),
        "word": _judge_change(name, change),
        "strip": draw_strip(change, -reach, reach, 0.0),
    }


def _judge_change(name: str, change: Estimate) -> str:
    ends = [worse_by(name, change.low), worse_by(name, change.high)]
    if name in WITHOUT_DIRECTION:
        return "no clear change" if min(ends) <= 0.0 <= max(ends) else "changed"
    return "worse" if min(ends) > 0.0 else "better" if max(ends) < 0.0 else "no clear change"


def _cell(estimate: Estimate | None) -> tuple[str, str]:
    return (show_value(estimate), show_interval(estimate)) if estimate else ("-", "")


def _slice_row(found: Slice, estimate: Estimate | None, strip: dict[str, float] | None) -> dict[str, Any]:
    return {
        "name": found.name,
        "rows": f"{found.rows:,}",
        "number": show_value(estimate) if estimate else "-",
        "interval": show_interval(estimate) if estimate else "cannot be measured",
        "strip": strip,
    }

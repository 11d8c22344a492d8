"""Two runs side by side, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.local.changes import Difference
from pipelines.local.compare import Comparison, difference
from pipelines.summary import interval_text
from pipelines.tables import plain_table, state_text


def comparison_table(found: Comparison) -> RenderableType:
    """Return the parts of a comparison one below the other; a part that has nothing to say says so."""
    return Group(
        _heads(found),
        _part("Parameters that differ", _parameters(found), "none"),
        _part("Data", _data(found), "neither run has read any"),
        _part("Metrics", _metrics(found), "neither run has any"),
        _part("Tasks that were asked for something else", _tasks(found), "none"),
    )


def _part(title: str, table: Table, empty: str) -> RenderableType:
    heading = Text(f"\n{title}", style="bold")
    return Group(heading, table) if table.row_count else heading.append(f": {empty}", style="not bold")


def _heads(found: Comparison) -> Table:
    table = plain_table("", *(str(run["run_id"]) for run in found.runs))
    table.add_row("state", *(state_text(str(run["state"])) for run in found.runs))
    table.add_row("seconds", *(f"{run['seconds'] or 0.0:.1f}" for run in found.runs))
    return table


def _parameters(found: Comparison) -> Table:
    table = _three("PARAMETER")
    for name, first, second in found.parameters:
        table.add_row(name, _value(first), _value(second))
    return table


def _data(found: Comparison) -> Table:
    table = _three("TASK")
    for name, first, second in found.data:
        same = first is not None and second is not None and first["version"] == second["version"]
        table.add_row(
            name, _snapshot(first), _snapshot(second), "same" if same else Text("other", "yellow")
        )
    return table


def _snapshot(snapshot: Mapping[str, Any] | None) -> str:
    return (
        "–" if snapshot is None else f"{snapshot['version'][:12]}, {sum(snapshot['rows'].values()):,} rows"
    )


def _metrics(found: Comparison) -> Table:
    table = plain_table("METRIC", "FIRST", "SECOND", "DIFFERENCE")
    for metric in found.metrics:
        change = difference(metric)
        table.add_row(
            metric.name, _interval(metric.first), _interval(metric.second),
            "–" if change is None else f"{change:+.4g}{_apart(metric)}",
        )  # fmt: skip
    return table


def _interval(metric: Mapping[str, Any] | None) -> str:
    if metric is None:
        return "–"
    if metric["low"] is None:
        return f"{metric['value']:.4g}"
    return interval_text(metric)


def _apart(metric: Difference) -> str:
    """Say whether the intervals leave the difference to chance."""
    if metric.first["low"] is None or metric.second["low"] is None:
        return ""
    if metric.first["value"] == metric.second["value"]:
        return ""
    apart = metric.first["high"] < metric.second["low"] or metric.second["high"] < metric.first["low"]
    return "" if apart else "  (intervals overlap)"


def _tasks(found: Comparison) -> Table:
    table = _three("TASK", "WHAT CHANGED")
    for name, first, second, changed in found.tasks:
        if changed or first != second:
            states = [Text("–") if state is None else state_text(state) for state in (first, second)]
            table.add_row(name, *states, ", ".join(changed))
    return table


def _three(name: str, last: str = "") -> Table:
    return plain_table(name, "FIRST", "SECOND", last)


def _value(value: Any) -> str:
    return "–" if value is None else str(value)

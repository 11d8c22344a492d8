"""What shall be said although it refuses nothing."""

from __future__ import annotations

from collections import Counter

from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Comparison, Judged
from components.evaluation.read import LabelledRows
from components.evaluation.search_slices import Search
from components.evaluation.slice import Slices
from components.evaluation.thresholds import Thresholds


def list_notices(
    rows: LabelledRows,
    judged: Judged,
    wanted: Thresholds,
    slices: Slices,
    search: Search,
    config: EvaluationConfig,
) -> list[str]:
    """List what the reader should know about the rows, the comparisons and the slices, one line each."""
    return [
        *_tell_baseline(judged.baseline, wanted),
        *_tell_rows(rows),
        *_tell_left_out(slices, config),
        *_tell_search(search),
    ]


def _tell_baseline(baseline: Comparison | None, wanted: Thresholds) -> list[str]:
    if not baseline or wanted.max_regression is not None:
        return []
    cause = baseline.obstacle or "`max_regression` is null"
    return [f"the baseline was no condition: {cause}"]


def _tell_rows(rows: LabelledRows) -> list[str]:
    notices: list[str] = []
    if rows.unlabelled:
        notices.append(f"{rows.unlabelled:,} test rows without a label were left out")
    if rows.unknown:
        names = ", ".join(f"`{name}` ({rare:,})" for name, rare in list(rows.unknown.items())[:5])
        count = sum(rows.unknown.values())
        notices.append(f"{count:,} test rows were left out whose label no training row had: {names}")
    return notices


def _tell_left_out(slices: Slices, config: EvaluationConfig) -> list[str]:
    measured = Counter(tuple(found.where) for found in slices.measured)
    rare = f"fewer than {config.min_slice_rows:,} rows"
    cause = f"{rare}, or beyond the {config.max_slice_values:,} most frequent"
    return [
        f"slices of `{' × '.join(cut)}`: {count:,} of {every:,} values not measured ({cause})"
        for cut, count in slices.left_out.items()
        if count and (every := count + measured[cut])
    ]


def _tell_search(search: Search) -> list[str]:
    if not search.found:
        return []
    worst = search.found[0].slice
    told = f"weakest where {worst.name} ({worst.rows:,} rows)"
    return [
        f"{len(search.found) + search.more:,} of {search.tested:,} slices are weaker than the rest; {told}"
    ]

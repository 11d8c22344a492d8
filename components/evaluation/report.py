"""The page for people: what was decided, why, and how the model behaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.page import write_page
from components.evaluation.charts import (
    STRIP,
    Chart,
    draw_averages,
    draw_calibration,
    draw_histogram,
    draw_roc,
    draw_strip,
)
from components.evaluation.estimate import Estimate
from components.evaluation.findings import Findings
from components.evaluation.measure import LARGER_IS_BETTER, METHODS, PRIMARY, worse_by
from components.evaluation.show import show_change, show_interval, show_value
from components.evaluation.slice import Slice

TITLES = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "accuracy": "Accuracy",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "mse": "Mean squared error",
    "rmse": "Root of it (RMSE)",
    "mae": "Mean absolute error",
    "r2": "R²",
}
_MOST_CLASSES = 12
_MOST_SLICES = 40


def write_report(path: Path, findings: Findings) -> None:
    """Write the report: one file, nothing fetched, no script.

    Args:
        path: HTML file to write.
        findings: What was found.
    """
    record, judged = findings.model.record, findings.judged
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        title=f"Is the model good enough? {findings.verdict.outcome.capitalize()}.",
        findings=findings,
        record=record,
        comparison=judged.comparison,
        facts=[
            (TITLES[name], show_value(found), show_interval(found))
            for name, found in judged.estimates.items()
        ],
        primary=TITLES[PRIMARY[judged.task]],
        direction="higher" if PRIMARY[judged.task] in LARGER_IS_BETTER else "lower",
        changes=_compare_rows(findings),
        slices=_slice_rows(findings),
        hidden_slices=max(0, len(findings.slices.measured) - _MOST_SLICES),
        left_out={column: count for column, count in findings.slices.left_out.items() if count},
        figures=_draw_figures(findings),
        confusion=_count_confusion(findings),
        shares=_count_shares(findings),
        methods=[(TITLES[name], METHODS[name]) for name in judged.estimates],
        asked=[(name, json.dumps(value)) for name, value in findings.thresholds.as_mapping().items()],
        strip=STRIP,
    )


def _compare_rows(findings: Findings) -> list[dict[str, Any]]:
    comparison = findings.judged.comparison
    rows: list[dict[str, Any]] = []
    for name, change in (comparison.differences if comparison else {}).items():
        reach = 1.1 * max(abs(change.low), abs(change.high)) or 1.0
        rows.append(
            {
                "title": TITLES[name],
                "new": show_value(findings.judged.estimates[name]),
                "old": show_value(comparison.estimates[name]) if comparison else "",
                "change": show_change(change),
                "interval": show_interval(change),
                "word": _judge_change(name, change),
                "strip": draw_strip(change, -reach, reach, 0.0),
            }
        )
    return rows


def _judge_change(name: str, change: Estimate) -> str:
    ends = [worse_by(name, change.low), worse_by(name, change.high)]
    return "worse" if min(ends) > 0.0 else "better" if max(ends) < 0.0 else "no clear change"


def _slice_rows(findings: Findings) -> list[dict[str, Any]]:
    name = PRIMARY[findings.judged.task]
    shown = findings.slices.measured[:_MOST_SLICES]
    overall = findings.judged.estimates.get(name)
    known = [found.estimates[name] for found in shown if name in found.estimates]
    if not known or overall is None:
        return [_slice_row(found, None, None) for found in shown]
    low = min(overall.value, *(estimate.low for estimate in known))
    high = max(overall.value, *(estimate.high for estimate in known))
    high = high if high > low else low + 1.0
    strips = [
        draw_strip(found.estimates[name], low, high, overall.value) if name in found.estimates else None
        for found in shown
    ]
    return [
        _slice_row(found, found.estimates.get(name), strip)
        for found, strip in zip(shown, strips, strict=True)
    ]


def _slice_row(found: Slice, estimate: Estimate | None, strip: dict[str, float] | None) -> dict[str, Any]:
    return {
        "column": found.column,
        "value": "(missing)" if found.value is None else str(found.value),
        "rows": f"{found.rows:,}",
        "number": show_value(estimate) if estimate else "-",
        "interval": show_interval(estimate) if estimate else "cannot be measured",
        "strip": strip,
    }


def _draw_figures(findings: Findings) -> list[Chart]:
    judged = findings.judged
    if not judged.estimates:
        return []
    answers = judged.answers.astype(np.float64)
    if judged.task == "binary":
        return [draw_roc(judged.labels, answers), draw_calibration(judged.labels, answers)]
    if judged.task == "multiclass":
        return []
    errors = draw_histogram(answers - judged.labels, title="Errors", label="prediction minus label")
    labels = draw_histogram(judged.labels, title="Labels", label=findings.model.record.label)
    return [draw_averages(judged.labels, answers), errors, labels]


def _count_confusion(findings: Findings) -> dict[str, Any] | None:
    """Count rows by label and answered class; of many classes the most frequent labels."""
    judged, classes = findings.judged, findings.model.record.classes
    if judged.task == "regression" or not judged.estimates:
        return None
    answered = judged.answers.argmax(axis=1) if judged.task == "multiclass" else judged.answers >= 0.5
    size = len(classes)
    flat = np.bincount(judged.labels * size + answered.astype(np.int64), minlength=size * size)
    counts = flat.reshape(size, size)
    shown = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    return {
        "classes": [classes[index] for index in shown],
        "rows": [_confusion_row(classes[index], counts[index], shown) for index in shown],
        "hidden": size - len(shown),
    }


def _confusion_row(name: str, counts: NDArray[np.int64], shown: NDArray[np.intp]) -> dict[str, Any]:
    total = max(1, int(counts.sum()))
    cells = [(f"{counts[index]:,}", round(100 * int(counts[index]) / total)) for index in shown]
    return {"name": name, "cells": cells}


def _count_shares(findings: Findings) -> list[tuple[str, str, float]]:
    judged, classes = findings.judged, findings.model.record.classes
    if judged.task == "regression":
        return []
    counts = np.bincount(judged.labels, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    return [(classes[index], f"{counts[index]:,}", float(counts[index] / counts.sum())) for index in order]

"""The page for people: what was decided, why, and how the model behaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.page import write_page
from components.evaluation.catalogue import LARGER_IS_BETTER, METHODS, PRIMARY, TITLES
from components.evaluation.charts import STRIP, Chart
from components.evaluation.draw import (
    draw_averages,
    draw_calibration,
    draw_error_quantiles,
    draw_histogram,
    draw_precision,
    draw_roc,
)
from components.evaluation.findings import Findings
from components.evaluation.report_tables import (
    class_rows,
    compare_rows,
    gap_rows,
    importance_rows,
    other_rows,
    slice_rows,
    weak_rows,
)
from components.evaluation.show import show, show_interval, show_value
from components.evaluation.trace import count_confusion, trace_curve

_MOST_CLASSES = 12
_MOST_SLICES = 20


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
        baseline=judged.baseline,
        facts=[
            (TITLES[name], show_value(found), show_interval(found))
            for name, found in judged.estimates.items()
        ],
        decision=_tell_decision(findings),
        primary=TITLES[PRIMARY[judged.task]],
        direction="higher" if PRIMARY[judged.task] in LARGER_IS_BETTER else "lower",
        changes=compare_rows(judged, judged.baseline),
        others=other_rows(judged),
        weak=weak_rows(findings.search),
        slices=slice_rows(judged, findings.slices.measured[:_MOST_SLICES]),
        hidden_slices=max(0, len(findings.slices.measured) - _MOST_SLICES),
        left_out={" × ".join(cut): count for cut, count in findings.slices.left_out.items() if count},
        gaps=gap_rows(findings.gaps),
        importance=importance_rows(findings.importance),
        class_rows=class_rows(findings)[:_MOST_CLASSES],
        figures=_draw_figures(findings),
        confusion=_count_confusion(findings),
        shares=_count_shares(findings),
        methods=_list_methods(findings),
        asked=[(name, json.dumps(value)) for name, value in findings.thresholds.as_mapping().items()],
        strip=STRIP,
    )


def _tell_decision(findings: Findings) -> str:
    decision, classes = findings.judged.decision, findings.model.record.classes
    if findings.judged.task != "binary":
        return ""
    told = f"Answered {classes[1]} from probability {show(decision.threshold)} on"
    if decision.costs is None:
        return f"{told}."
    alarm, miss = map(show, decision.costs)
    return f"{told}: cheapest on the eval split when a false alarm costs {alarm} and a miss {miss}."


def _list_methods(findings: Findings) -> list[tuple[str, str]]:
    """Return titles that share a method, and the method."""
    titles: dict[str, list[str]] = {}
    for name in findings.judged.estimates:
        titles.setdefault(METHODS[name], []).append(TITLES[name])
    return [(", ".join(names), method) for method, names in titles.items()]


def _draw_figures(findings: Findings) -> list[Chart]:
    judged = findings.judged
    if not judged.estimates:
        return []
    answers = judged.answers.astype(np.float64)
    if judged.task == "binary":
        curve, positive = trace_curve(judged.labels, answers), float((judged.labels == 1).mean())
        charts = [draw_roc(curve), draw_precision(curve, positive)]
        return [*charts, draw_calibration(findings.calibration, several=False)]
    if judged.task == "multiclass":
        return [draw_calibration(findings.calibration, several=True)]
    quantiles = draw_error_quantiles(answers - judged.labels, judged.estimates)
    errors = draw_histogram(answers - judged.labels, title="Errors", label="prediction minus label")
    labels = draw_histogram(judged.labels, title="Labels", label=findings.model.record.label)
    return [draw_averages(judged.labels, answers), quantiles, errors, labels]


def _count_confusion(findings: Findings) -> dict[str, Any] | None:
    """Count rows by label and answered class; of many classes the most frequent labels."""
    judged, classes = findings.judged, findings.model.record.classes
    if judged.task == "regression" or not judged.estimates:
        return None
    counts = count_confusion(judged, len(classes))
    shown = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    return {
        "classes": [classes[index] for index in shown],
        "rows": [_confusion_row(classes[index], counts[index], shown) for index in shown],
        "hidden": len(classes) - len(shown),
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

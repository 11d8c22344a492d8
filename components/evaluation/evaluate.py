"""The work of evaluation: a model and the test split in, a verdict and the complete model out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.artifacts import Verdict, model_digest
from components.common.errors import BadInputError
from components.evaluation.compare import Comparison, baseline_columns, compare_models
from components.evaluation.config import EvaluationConfig
from components.evaluation.findings import Findings
from components.evaluation.golden import record_golden
from components.evaluation.judge import Judged, decide, judge_model
from components.evaluation.measure import measure
from components.evaluation.predict import LoadedModel, load_model
from components.evaluation.publish import publish_evaluation, publish_golden, publish_model
from components.evaluation.read import LabelledRows, read_test_rows
from components.evaluation.report import write_report
from components.evaluation.slice import Slices, measure_slices
from components.evaluation.thresholds import Thresholds, read_thresholds


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a caller wants to know at once.

    Attributes:
        verdict: The decision.
        golden_rows: Golden requests recorded.
        model_digest: The model's name by content, equal before and after.
        metrics: Flat and finite: `auc`, `auc_low`, `auc_high`, …, `baseline_auc`, …, `rows`.
    """

    verdict: Verdict
    golden_rows: int
    model_digest: str
    metrics: dict[str, float]


def evaluate_model(
    best_model: Path,
    examples: Path,
    baseline: Path,
    *,
    baseline_uri: str,
    recipe: str,
    thresholds: Mapping[str, Any],
    slices: Sequence[Any],
    evaluation: Path,
    golden_requests: Path,
    report: Path,
    evaluated_model: Path,
    config: EvaluationConfig,
) -> Outcome:
    """Judge a model on the raw test split and publish it complete.

    A weak model is a verdict, not an error: all outputs are written either way. The same inputs give
    the same bytes.

    Args:
        best_model: The bare model, from training.
        examples: Folder of splits, from ingestion; only `test` is read.
        baseline: The model to compare with, or the statement that there is none.
        baseline_uri: Where that artifact is; recorded.
        recipe: Digest of what the run makes models from; recorded.
        thresholds: See `read_thresholds`.
        slices: Columns by whose values the metrics are repeated.
        evaluation: Folder to write: `evaluation.json`, `verdict.json`.
        golden_requests: Folder to write: `golden.jsonl`.
        report: HTML file to write.
        evaluated_model: Folder to write: the complete model.
        config: Knobs.

    Raises:
        BadInputError: An input is missing or malformed, a threshold or a slice is unknown, or no row can
            be judged.
    """
    model = load_model(best_model)
    wanted = read_thresholds(thresholds, model.record.task)
    cuts = _read_slices(slices)
    columns = {*model.inputs, *baseline_columns(baseline)}
    rows = read_test_rows(examples, model.record, columns=columns, slices=cuts)
    judged = _judge_rows(model, rows, baseline, baseline_uri, config)
    findings = _find(model, rows, judged, wanted, cuts, recipe=recipe, config=config)
    golden = record_golden(model, rows.table, rows=config.golden_rows, batch_size=config.batch_size)

    document = findings.as_evaluation()
    write_report(report, findings)
    publish_evaluation(evaluation, document, findings.verdict)
    publish_golden(golden_requests, golden)
    publish_model(evaluated_model, best_model, document, golden)
    return Outcome(
        verdict=findings.verdict,
        golden_rows=len(golden),
        model_digest=findings.digest,
        metrics=findings.as_metrics(),
    )


def _judge_rows(
    model: LoadedModel, rows: LabelledRows, baseline: Path, baseline_uri: str, config: EvaluationConfig
) -> Judged:
    answers = model.answer(rows.table, batch_size=config.batch_size)
    estimates = measure(model.record.task, rows.labels, answers)
    comparison = compare_models(
        baseline,
        uri=baseline_uri,
        record=model.record,
        rows=rows,
        estimates=estimates,
        batch_size=config.batch_size,
    )
    return Judged(
        task=model.record.task,
        labels=rows.labels,
        answers=answers,
        estimates=estimates,
        comparison=comparison,
    )


def _find(
    model: LoadedModel,
    rows: LabelledRows,
    judged: Judged,
    wanted: Thresholds,
    cuts: Sequence[str],
    *,
    recipe: str,
    config: EvaluationConfig,
) -> Findings:
    checks = judge_model(judged, wanted)
    slices = measure_slices(rows, judged.answers, judged.task, cuts, config)
    notices = [*_list_notices(rows, judged.comparison, wanted), *_tell_left_out(slices, config)]
    return Findings(
        recipe=recipe,
        digest=model_digest(model.folder),
        model=model,
        rows=rows,
        judged=judged,
        slices=slices,
        thresholds=wanted,
        checks=checks,
        verdict=decide(checks, judged.comparison, notices),
        config=config,
    )


def _list_notices(rows: LabelledRows, comparison: Comparison | None, wanted: Thresholds) -> list[str]:
    notices: list[str] = []
    if comparison and wanted.max_regression is None:
        cause = comparison.obstacle or "`max_regression` is null"
        notices.append(f"the baseline was no condition: {cause}")
    if rows.unlabelled:
        notices.append(f"{rows.unlabelled:,} test rows without a label were left out")
    if rows.unknown:
        names = ", ".join(f"`{name}` ({rare:,})" for name, rare in list(rows.unknown.items())[:5])
        count = sum(rows.unknown.values())
        notices.append(f"{count:,} test rows were left out whose label no training row had: {names}")
    return notices


def _tell_left_out(slices: Slices, config: EvaluationConfig) -> list[str]:
    measured = Counter(found.column for found in slices.measured)
    rare = f"fewer than {config.min_slice_rows:,} rows"
    cause = f"{rare}, or beyond the {config.max_slice_values:,} most frequent"
    return [
        f"slices of `{column}`: {count:,} of {count + measured[column]:,} values not measured ({cause})"
        for column, count in slices.left_out.items()
        if count
    ]


def _read_slices(slices: Sequence[Any]) -> list[str]:
    for entry in slices:
        if not isinstance(entry, str):
            fix = "name columns, such as `slices: [carrier, origin]`"
            raise BadInputError("a slice must be a column's name", where="slices", value=entry, fix=fix)
    return list(slices)

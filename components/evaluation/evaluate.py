"""The work of evaluation: a model and the test split in, a verdict and the complete model out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Verdict
from components.common.errors import BadInputError
from components.common.schemas import personal_columns, read_features
from components.common.seal import model_digest
from components.evaluation.card import write_card
from components.evaluation.check_sanity import check_sanity
from components.evaluation.choose import choose_decision
from components.evaluation.compare import (
    baseline_columns,
    compare_answers,
    compare_baseline,
    compare_constant,
)
from components.evaluation.compare_groups import compare_groups
from components.evaluation.config import Cut, EvaluationConfig, read_slices
from components.evaluation.findings import Findings
from components.evaluation.golden import record_golden
from components.evaluation.judge import decide, judge_model
from components.evaluation.judged import Comparison, Judged
from components.evaluation.measure import measure
from components.evaluation.notices import list_notices
from components.evaluation.permute import Importance, measure_importance
from components.evaluation.personal import refuse_personal
from components.evaluation.predict import LoadedModel, load_model
from components.evaluation.prove_twin import prove_twin
from components.evaluation.publish import publish_evaluation, publish_golden, publish_model
from components.evaluation.read import LabelledRows, read_rows
from components.evaluation.reference import answer_as_reference
from components.evaluation.report import write_report
from components.evaluation.search_slices import find_weak_slices
from components.evaluation.slice import measure_slices
from components.evaluation.thresholds import Thresholds, read_thresholds
from components.evaluation.trace import classification_metadata


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a caller wants to know at once.

    Attributes:
        verdict: The decision.
        golden_rows: Golden requests recorded.
        model_digest: The model's name by content, equal before and after.
        metrics: Flat and finite: `auc`, `auc_low`, `auc_high`, …, `baseline_auc`, …, `rows`.
        classification: What the dashboard draws: confusion matrix and ROC curve; empty for a regression.
    """

    verdict: Verdict
    golden_rows: int
    model_digest: str
    metrics: dict[str, float]
    classification: dict[str, Any]


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
        examples: Folder of splits, from ingestion. `test` judges; `eval` is read for the threshold when
            costs are stated, `train` for the reference.
        baseline: The model to compare with, or the statement that there is none.
        baseline_uri: Where that artifact is; recorded.
        recipe: Digest of what the run makes models from; recorded.
        thresholds: See `read_thresholds`.
        slices: Columns, and pairs of columns, by whose values the metrics are repeated.
        evaluation: Folder to write: `evaluation.json`, `verdict.json`.
        golden_requests: Folder to write: `golden.jsonl`.
        report: HTML file to write.
        evaluated_model: Folder to write: the complete model.
        config: Knobs.

    Raises:
        BadInputError: An input is missing or malformed, a threshold or a slice is unknown or personal, or
            no row can be judged.
    """
    model = load_model(best_model)
    wanted = read_thresholds(thresholds, model.record.task)
    personal = personal_columns(read_features(best_model))
    cuts = _list_cuts(slices, wanted, config, personal)
    sliced = {column for cut in cuts for column in cut}
    columns = {*model.inputs, *baseline_columns(baseline), *config.sanity}
    rows = read_rows(examples, "test", model.record, columns=columns, required=sliced)
    with ThreadPoolExecutor(1) as beside:  # scikit-learn and TensorFlow let each other run
        reference = beside.submit(_ask_reference, model, rows, examples, config)
        judged = _judge_rows(model, rows, examples, config)
        importance = measure_importance(model, judged, rows.table, config)
    judged = replace(
        judged,
        constant=compare_constant(judged) if judged.estimates else None,
        reference=_compare_reference(reference.result(), judged),
        baseline=compare_baseline(
            baseline,
            judged,
            uri=baseline_uri,
            record=model.record,
            rows=rows,
            examples=examples,
            config=config,
        ),
    )
    findings = _find(
        model, rows, judged, wanted, cuts, importance, recipe=recipe, personal=personal, config=config
    )
    golden = record_golden(
        model, rows.table, rows=config.golden_rows, batch_size=config.batch_size, personal=personal
    )
    if findings.verdict.passed and not golden:
        what = "the model has no finite answer to any row that could be a request"
        raise BadInputError(what, where="golden requests", fix="check `preprocessing_fn`")

    document = findings.as_evaluation()
    write_report(report, findings)
    publish_evaluation(evaluation, document, findings.verdict)
    publish_golden(golden_requests, golden)
    publish_model(evaluated_model, best_model, document, golden, write_card(findings))
    return Outcome(
        verdict=findings.verdict,
        golden_rows=len(golden),
        model_digest=findings.digest,
        metrics=findings.as_metrics(),
        classification=classification_metadata(judged, model.record.classes),
    )


def _list_cuts(
    slices: Sequence[Any], wanted: Thresholds, config: EvaluationConfig, personal: frozenset[str]
) -> list[Cut]:
    """Return what was asked for as slices, and what thresholds and groups need; none may be personal."""
    cuts = [
        *read_slices(slices),
        *((column,) for column in (*wanted.slices, *wanted.groups, *config.groups)),
    ]
    refuse_personal((column for cut in cuts for column in cut), personal, where="slices")
    return list(dict.fromkeys(cuts))


def _judge_rows(model: LoadedModel, rows: LabelledRows, examples: Path, config: EvaluationConfig) -> Judged:
    task, decision = model.record.task, choose_decision(model, examples, config)
    answers = model.answer(rows.table, batch_size=config.batch_size)
    estimates = measure(task, rows.labels, answers, decision)
    return Judged(task=task, labels=rows.labels, answers=answers, decision=decision, estimates=estimates)


def _ask_reference(
    model: LoadedModel, rows: LabelledRows, examples: Path, config: EvaluationConfig
) -> tuple[NDArray[np.float64], int] | str | None:
    """Return the reference's answers and its training rows, or why there are none; None: not asked for."""
    if config.reference_rows == 0:
        return None
    try:
        return answer_as_reference(model, examples, rows.table, most_rows=config.reference_rows)
    except BadInputError as error:
        what = str(error).split(" — ")[0]  # without the place: equal inputs elsewhere give equal bytes
        return f"there is no reference: {what}"


def _compare_reference(
    told: tuple[NDArray[np.float64], int] | str | None, judged: Judged
) -> Comparison | None:
    who = "gradient boosting"
    if told is None or isinstance(told, str):
        return Comparison(who=who, obstacle=told) if told else None
    answers, learnt = told
    return compare_answers(f"{who} ({learnt:,} training rows)", judged, answers, judged.decision)


def _find(
    model: LoadedModel,
    rows: LabelledRows,
    judged: Judged,
    wanted: Thresholds,
    cuts: Sequence[Cut],
    importance: list[Importance],
    *,
    recipe: str,
    personal: frozenset[str],
    config: EvaluationConfig,
) -> Findings:
    slices = measure_slices(judged, rows.table, cuts, config)
    compared = dict.fromkeys([*wanted.groups, *config.groups])
    gaps = [gap for name in compared for gap in compare_groups(name, slices.of((name,)), judged.task)]
    present = [name for name in rows.table.column_names if name not in {*personal, model.record.label}]
    search = find_weak_slices(judged, rows.table, present, config)
    sanity = check_sanity(model, judged, rows.table, config)
    checks = judge_model(judged, wanted, slices=slices, gaps=gaps, sanity=sanity)
    notices = list_notices(rows, judged, wanted, slices, search, config)
    return Findings(
        recipe=recipe,
        digest=model_digest(model.folder),
        model=model,
        rows=rows,
        judged=judged,
        slices=slices,
        search=search,
        gaps=gaps,
        importance=importance,
        sanity=sanity,
        thresholds=wanted,
        twin=prove_twin(model, rows.table, judged.answers, batch_size=config.batch_size),
        checks=checks,
        verdict=decide(checks, judged.baseline, notices),
        personal=personal,
        config=config,
    )

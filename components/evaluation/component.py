# pyright: basic
"""The door of evaluation: what KFP sees. The work is in `evaluate.py`."""

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def evaluate(
    best_model: dsl.Input[dsl.Model],
    examples: dsl.Input[dsl.Dataset],
    baseline: dsl.Input[dsl.Model],
    recipe: str,
    metrics: dsl.Output[dsl.Metrics],
    classification_metrics: dsl.Output[dsl.ClassificationMetrics],
    evaluation: dsl.Output[dsl.Artifact],
    golden_requests: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    evaluated_model: dsl.Output[dsl.Model],
    thresholds: dict = {},
    slices: list = [],
    options: dict = {},
) -> bool:
    """Judge the best model on rows that it never saw, and publish it complete.

    Args:
        best_model: The bare model, from `select_best`.
        examples: Folder of splits, from `ingest`; `test` judges.
        baseline: The model to compare with, found or not, from `resolve_baseline`.
        recipe: Digest of what the run makes models from, from `resolve_baseline`.
        thresholds: What the model must reach, such as `{auc: {min: 0.7}, max_regression: 0.01}`.
        slices: Columns, and pairs of columns, by whose values the metrics are repeated.
        options: Knobs, the fields of `EvaluationConfig`.

    Returns:
        metrics: Each metric with the ends of its 95 % interval (`auc`, `auc_low`, `auc_high`).
        classification_metrics: Confusion matrix and ROC curve for the dashboard; empty for a regression.
        evaluation: `evaluation.json`, with slices, thresholds and the baseline, and `verdict.json`.
        golden_requests: `golden.jsonl`: raw rows with the model's answers, for every server to repeat.
        report: The page for people.
        evaluated_model: The complete model: `best_model` with evaluation, golden requests, card and seal.
        Output: True when the model is blessed.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.evaluation.config import EvaluationConfig
    from components.evaluation.evaluate import evaluate_model

    with named_exit():
        found = evaluate_model(
            Path(best_model.path), Path(examples.path), Path(baseline.path), baseline_uri=baseline.uri,
            recipe=recipe, thresholds=thresholds, slices=slices, evaluation=Path(evaluation.path),
            golden_requests=Path(golden_requests.path), report=Path(report.path),
            evaluated_model=Path(evaluated_model.path),
            config=build_config(EvaluationConfig, options, where="evaluation"),
        )  # fmt: skip
    metrics.metadata.update(found.metrics)
    classification_metrics.metadata.update(found.classification)
    for artifact in (evaluation, evaluated_model):
        artifact.metadata.update(outcome=found.verdict.outcome, model_digest=found.model_digest)
    golden_requests.metadata["rows"] = found.golden_rows
    return found.verdict.passed

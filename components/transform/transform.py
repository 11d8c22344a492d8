"""The work of the transform: derive features, make the graph, apply it to the splits, tell about it."""

from __future__ import annotations

import functools
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.common.artifacts import TransformSummary, split_files, write_transform
from components.common.errors import ComponentError, UnavailableError
from components.common.storage import publishing
from components.common.task_log import log_line
from components.transform.apply import Applied, Apply, apply_graph, load_graph
from components.transform.config import TransformConfig
from components.transform.describe import Feature, describe_derived, describe_outputs
from components.transform.locate import explain_fault
from components.transform.plan import Plan, make_plan
from components.transform.preprocess import derived_preprocessing
from components.transform.read_columns import read_batches, read_kinds, read_personal
from components.transform.report import write_report
from components.transform.write_graph import write_graph

OUTPUT_SPLITS = ("train", "eval")


def transform_examples(
    examples: Path,
    schema: Path,
    *,
    transform_graph: Path,
    transformed_examples: Path,
    report: Path,
    label: str,
    task: str | None,
    features: Mapping[str, Any],
    module: Path | None,
    config: TransformConfig,
) -> TransformSummary:
    """Make the graph and what it gives for the splits train and eval.

    Args:
        examples: Folder with the raw splits, from ingestion.
        schema: Folder with `schema.pbtxt`, from data validation.
        transform_graph: Folder to write: TFT's layout and `transform.json`.
        transformed_examples: Folder to write: `train/` and `eval/`, fixed-width columns and `label`.
        report: HTML file to write: what was derived from what, and what was dropped and why.
        label: Label column; never a feature.
        task: What is learnt, or None to infer it.
        features: Overrides by column.
        module: The user's Python file, or None. Without a `preprocessing_fn` in it features are derived.
        config: Knobs.

    Returns:
        What was written to `transform.json`.

    Raises:
        BadInputError: Label, task, an override, the module or the examples do not fit.
    """
    read = functools.partial(read_batches, examples, "train", batch_rows=config.batch_rows)
    plan = make_plan(
        read, read_kinds(schema), label=label, task=task, features=features, module=module, config=config,
        personal=read_personal(schema),
    )  # fmt: skip
    with publishing(transform_graph) as graph, publishing(transformed_examples) as transformed:
        with _explained(plan, examples, "train", module, config):
            _make_graph(examples, graph, plan, config)
        described = describe_outputs(graph) if plan.user_fn else describe_derived(graph, plan.derived)
        applied = _apply(examples, transformed, graph, plan, described, label, module, config)
        if plan.user_fn:
            described = describe_outputs(graph, applied["train"].largest)
        summary = TransformSummary(
            task=plan.task, label=label, classes=plan.classes, inputs=plan.inputs,
            features=described, dropped=plan.dropped,
        )  # fmt: skip
        write_transform(graph, summary)
        write_report(report, plan, summary, applied)
    _tell(plan, summary, applied, inferred=task is None)
    return summary


def _make_graph(examples: Path, graph: Path, plan: Plan, config: TransformConfig) -> None:
    if plan.user_fn is None and not config.beam_options:
        write_graph(plan.derived, plan.inputs, plan.columns, transform_graph=graph)
        return
    from components.transform.analyse import TftAnalysis, analyse_examples  # Beam takes a second to import

    function = plan.user_fn or derived_preprocessing(plan.derived, TftAnalysis())
    analyse_examples(
        split_files(examples, "train"), plan.inputs, function, transform_graph=graph,
        batch_rows=config.batch_rows, beam_options=config.beam_options,
    )  # fmt: skip


def _apply(
    examples: Path, transformed: Path, graph: Path, plan: Plan, described: list[Feature], label: str,
    module: Path | None, config: TransformConfig,
) -> dict[str, Applied]:  # fmt: skip
    apply = load_graph(graph)
    names = [feature["name"] for feature in described]
    applied: dict[str, Applied] = {}
    for split in OUTPUT_SPLITS:
        with _explained(plan, examples, split, module, config, apply):
            applied[split] = apply_graph(
                apply, examples, split, inputs=plan.inputs, features=names, label=label, task=plan.task,
                classes=plan.classes, transformed=transformed, batch_rows=config.batch_rows,
            )  # fmt: skip
    return applied


@contextmanager
def _explained(
    plan: Plan, examples: Path, split: str, module: Path | None, config: TransformConfig,
    apply: Apply | None = None,
) -> Generator[None]:  # fmt: skip
    """Turn what TensorFlow raises over a user's function, or Beam over a far runner, into a named error."""
    try:
        yield
    except ComponentError:
        raise
    except Exception as error:  # Beam wraps its workers' errors in kinds of its runner; else raised again
        batches = read_batches(examples, split, list(plan.inputs), batch_rows=config.batch_rows)
        if plan.user_fn and module:
            fault = explain_fault(
                error, plan.user_fn, plan.inputs, batches, module=module, split=split, probe=apply
            )
            if fault:
                raise fault from error
        if config.beam_options and apply is None:
            first = next(iter(str(error).splitlines()), "")  # those that follow may show rows
            what = f"Beam failed: {type(error).__name__}: {first}"
            fix = "look at the runner's own log"
            raise UnavailableError(what, where="parameter `transform.beam_options`", fix=fix) from error
        raise


def _tell(plan: Plan, summary: TransformSummary, applied: Mapping[str, Applied], *, inferred: bool) -> None:
    source = "inferred" if inferred else "given"
    lines = [f"task: {summary.task} ({source}), label `{summary.label}`, {len(summary.classes)} classes"]
    reasons = {feature.column: f"{feature.encoding} ({feature.why})" for feature in plan.derived}
    for feature in summary.features:
        reason = reasons.get(feature["column"], "preprocessing_fn")
        lines.append(
            f"feature {feature['name']}: {feature['encoding']}, size {feature['size']} <- {reason}"
        )
    lines += [f"dropped {column}: {reason}" for column, reason in summary.dropped.items()]
    lines += [f"warning: {warning}" for warning in plan.warnings]
    for split, one in applied.items():
        lines.append(f"{split}: {one.rows} rows, {one.unlabelled} left out for want of a usable label")
    log_line("\n".join(lines))

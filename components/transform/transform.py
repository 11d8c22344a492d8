"""The work of the transform: derive features, analyse the train split, apply the graph to every split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.common.artifacts import Kind, Task, TransformSummary, write_transform
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.transform.analyse import analyse_examples
from components.transform.apply import Applied, apply_graph, load_graph
from components.transform.config import TransformConfig
from components.transform.derive import Derived, derive_features
from components.transform.describe import Feature, describe_derived, describe_outputs
from components.transform.infer_task import infer_task, require_label
from components.transform.preprocess import (
    PreprocessingFn,
    derived_preprocessing,
    load_module,
    user_preprocessing,
)
from components.transform.profile import profile_columns
from components.transform.read_columns import read_batches, read_kinds


class Plan(NamedTuple):
    """What is to be done, before any graph exists.

    Attributes:
        task: What is learnt.
        classes: Label values by class index.
        inputs: Columns that the graph takes, with their kinds.
        derived: How they enter; empty when the user brings a function.
        dropped: Columns left out, with the reason.
        preprocessing_fn: What TFT analyses.
    """

    task: Task
    classes: list[str]
    inputs: dict[str, Kind]
    derived: list[Derived]
    dropped: dict[str, str]
    preprocessing_fn: PreprocessingFn


def transform_examples(
    examples: Path,
    schema: Path,
    *,
    transform_graph: Path,
    transformed_examples: Path,
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
    kinds = read_kinds(schema)
    require_label(label, kinds)
    plan = _plan(examples, kinds, label, task, features, module, config)
    with publishing(transform_graph) as graph, publishing(transformed_examples) as transformed:
        analyse_examples(
            lambda: read_batches(examples, "train", list(plan.inputs), batch_rows=config.batch_rows),
            plan.inputs, plan.preprocessing_fn, transform_graph=graph,
        )  # fmt: skip
        described = describe_derived(graph, plan.derived) if plan.derived else describe_outputs(graph)
        applied = _apply(examples, transformed, graph, plan, described, label, config)
        if not plan.derived:
            described = describe_outputs(graph, applied["train"].largest)
        summary = TransformSummary(
            task=plan.task, label=label, classes=plan.classes, inputs=plan.inputs,
            features=described, dropped=plan.dropped,
        )  # fmt: skip
        write_transform(graph, summary)
    _tell(plan, summary, applied, inferred=task is None)
    return summary


def _plan(
    examples: Path, kinds: Mapping[str, Kind], label: str, task: str | None,
    features: Mapping[str, Any], module: Path | None, config: TransformConfig,
) -> Plan:  # fmt: skip
    batches = read_batches(examples, "train", list(kinds), batch_rows=config.batch_rows)
    profiles = profile_columns(batches, kinds)
    chosen, classes = infer_task(profiles.pop(label), task, label=label)
    own = getattr(load_module(module), "preprocessing_fn", None) if module else None
    if own is None:
        derived, dropped = derive_features(profiles, features, config)
        inputs: dict[str, Kind] = {feature.column: feature.kind for feature in derived}
        return Plan(chosen, classes, inputs, derived, dropped, derived_preprocessing(derived))
    if features:
        fix = "leave one of them out"
        raise BadInputError(
            "`features` has no effect beside `preprocessing_fn`", where="parameters", fix=fix
        )
    columns: dict[str, Kind] = {name: profile.kind for name, profile in profiles.items()}
    return Plan(chosen, classes, columns, [], {}, user_preprocessing(own))


def _apply(
    examples: Path, transformed: Path, graph: Path, plan: Plan, described: Sequence[Feature], label: str,
    config: TransformConfig,
) -> dict[str, Applied]:  # fmt: skip
    apply = load_graph(graph)
    names = [feature["name"] for feature in described]
    return {
        split: apply_graph(
            apply, examples, split, inputs=plan.inputs, features=names, label=label, task=plan.task,
            classes=plan.classes, transformed=transformed, batch_rows=config.batch_rows,
        )
        for split in ("train", "eval")
    }  # fmt: skip


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
    for split, one in applied.items():
        lines.append(f"{split}: {one.rows} rows, {one.unlabelled} left out for want of a usable label")
    print("\n".join(lines))  # noqa: T201 - a task's log is its standard output

"""Holding the model against others that answer the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import (
    ModelRecord,
    Signature,
    baseline_model,
    read_model_record,
    read_signature,
)
from components.common.errors import BadInputError
from components.common.seal import model_digest
from components.evaluation.choose import choose_decision
from components.evaluation.config import EvaluationConfig
from components.evaluation.estimate import Estimate, difference
from components.evaluation.judged import Comparison, Judged
from components.evaluation.measure import measure
from components.evaluation.measure_decisions import Decision
from components.evaluation.predict import load_model
from components.evaluation.read import LabelledRows


def baseline_columns(baseline: Path) -> list[str]:
    """Return the raw columns that the baseline's model wants; none when there is no model."""
    folder = baseline_model(baseline)
    return [entry["name"] for entry in read_signature(folder).inputs] if folder else []


def compare_answers(who: str, judged: Judged, answers: NDArray[Any], decision: Decision) -> Comparison:
    """Compare a judged model with another's answers to the same rows.

    Args:
        who: Whose answers these are.
        judged: The model; its estimates are set.
        answers: The other's, of the same form.
        decision: When the other's answer counts as the second class.
    """
    other = measure(judged.task, judged.labels, answers, decision)
    return Comparison(who=who, estimates=other, differences=_subtract(judged.estimates, other))


def compare_constant(judged: Judged) -> Comparison:
    """Compare with the best constant: the test labels' own shares, or their mean.

    No constant that was known before could be better, so what beats this one beats them all.
    """
    if judged.task == "regression":
        answers = np.full(len(judged.labels), judged.labels.mean())
    elif judged.task == "binary":
        answers = np.full(len(judged.labels), (judged.labels == 1).mean())
    else:
        shares = np.bincount(judged.labels, minlength=judged.answers.shape[1]) / len(judged.labels)
        answers = np.tile(shares, (len(judged.labels), 1))
    return compare_answers("the best constant", judged, answers, judged.decision)


def compare_baseline(
    baseline: Path,
    judged: Judged,
    *,
    uri: str,
    record: ModelRecord,
    rows: LabelledRows,
    examples: Path,
    config: EvaluationConfig,
) -> Comparison | None:
    """Let the baseline answer the same rows and estimate the differences.

    Args:
        baseline: The artifact `baseline`, from `resolve_baseline`.
        judged: The new model.
        uri: Where that artifact is.
        record: How the new model was made.
        rows: The rows that the new model answered, with the columns of both.
        examples: Folder of splits; the baseline's own threshold is chosen as the new model's is.
        config: Costs, and rows per call.

    Returns:
        The comparison, or None when there is no baseline yet. A baseline that predicts something else,
        or that cannot answer today's columns, is an obstacle, not an error.

    Raises:
        BadInputError: The baseline is neither a complete model nor the statement that there is none.
    """
    folder = baseline_model(baseline)
    if folder is None:
        return None
    found = Comparison(who="the model that serves now", uri=uri, digest=model_digest(folder))
    obstacle = _find_obstacle(read_model_record(folder), record, read_signature(folder), rows)
    if obstacle:
        return replace(found, obstacle=obstacle)
    model = load_model(folder)
    try:
        answers = model.answer(rows.table, batch_size=config.batch_size)
        decision = choose_decision(model, examples, config)
    except BadInputError as error:
        return replace(found, obstacle=f"the baseline cannot answer: {error}")
    compared = compare_answers(found.who, judged, answers, decision)
    return replace(found, estimates=compared.estimates, differences=compared.differences)


def _subtract(new: Mapping[str, Estimate], old: Mapping[str, Estimate]) -> dict[str, Estimate]:
    pairs = {name: difference(new[name], old[name]) for name in new if name in old}
    return {name: found for name, found in pairs.items() if found}


def _find_obstacle(
    old: ModelRecord, new: ModelRecord, signature: Signature, rows: LabelledRows
) -> str | None:
    if (old.task, old.label) != (new.task, new.label):
        return f"the baseline predicts `{old.label}` ({old.task}), not `{new.label}` ({new.task})"
    if old.classes != new.classes:
        return f"the baseline knows the classes {_listed(old.classes)}, not {_listed(new.classes)}"
    present = set(rows.table.column_names)
    absent = [entry["name"] for entry in signature.inputs if entry["name"] not in present]
    if absent:
        columns = "column" if len(absent) == 1 else "columns"
        return f"the baseline needs {columns} {_listed(absent)}, which today's data lack"
    return None


def _listed(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"`{name}`" for name in names[:most]) + more

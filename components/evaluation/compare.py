"""Holding the new model against the one that serves now, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.artifacts import (
    ModelRecord,
    Signature,
    baseline_model,
    model_digest,
    read_model_record,
    read_signature,
)
from components.common.errors import BadInputError
from components.evaluation.estimate import Estimate, difference
from components.evaluation.measure import measure
from components.evaluation.predict import load_model
from components.evaluation.read import LabelledRows


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What comparing with a baseline gave.

    Attributes:
        uri: Where the baseline's artifact is.
        digest: The baseline's model digest.
        estimates: Its metrics on the same rows; empty when it could not answer them.
        differences: New minus baseline, by metric, with paired 95 % intervals.
        obstacle: Why the two cannot be compared, or None.
    """

    uri: str
    digest: str
    estimates: dict[str, Estimate] = field(default_factory=dict)
    differences: dict[str, Estimate] = field(default_factory=dict)
    obstacle: str | None = None

    def as_mapping(self) -> dict[str, Any]:
        """Return `{uri, digest, metrics, differences}`, as `evaluation.json` holds it."""
        return {
            "uri": self.uri,
            "digest": self.digest,
            "metrics": {name: estimate.bounds() for name, estimate in self.estimates.items()},
            "differences": {name: estimate.bounds() for name, estimate in self.differences.items()},
        }


def baseline_columns(baseline: Path) -> list[str]:
    """Return the raw columns that the baseline's model wants; none when there is no model."""
    folder = baseline_model(baseline)
    return [entry["name"] for entry in read_signature(folder).inputs] if folder else []


def compare_models(
    baseline: Path,
    *,
    uri: str,
    record: ModelRecord,
    rows: LabelledRows,
    estimates: Mapping[str, Estimate],
    batch_size: int,
) -> Comparison | None:
    """Let the baseline answer the same rows and estimate the differences.

    Args:
        baseline: The artifact `baseline`, from `resolve_baseline`.
        uri: Where that artifact is.
        record: How the new model was made.
        rows: The rows that the new model answered, with the columns of both.
        estimates: The new model's metrics.
        batch_size: Rows per call.

    Returns:
        The comparison, or None when there is no baseline yet. A baseline that predicts something else,
        or that cannot answer today's columns, is an obstacle, not an error.

    Raises:
        BadInputError: The baseline is neither a complete model nor the statement that there is none.
    """
    folder = baseline_model(baseline)
    if folder is None:
        return None
    digest = model_digest(folder)
    obstacle = _find_obstacle(read_model_record(folder), record, read_signature(folder), rows)
    if obstacle:
        return Comparison(uri=uri, digest=digest, obstacle=obstacle)
    model = load_model(folder)
    try:
        answers = model.answer(rows.table, batch_size=batch_size)
    except BadInputError as error:
        return Comparison(uri=uri, digest=digest, obstacle=f"the baseline cannot answer: {error}")
    before = measure(record.task, rows.labels, answers)
    both = [name for name in estimates if name in before]
    pairs = {name: difference(estimates[name], before[name]) for name in both}
    differences = {name: found for name, found in pairs.items() if found}
    return Comparison(uri=uri, digest=digest, estimates=before, differences=differences)


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

"""Examples for findings: one row, or one value, that shows what is meant; none of personal columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.data_validation.describe import Batch
from components.data_validation.messages import ArrowColumn, FeatureStatistics, Numbers

_SHOWN_COLUMNS = 6
_SHOWN_LENGTH = 40


def show_row(batch: Batch, split: str, mask: Numbers, *features: str) -> str | None:
    """Show the first row of a split for which a mask holds.

    Args:
        batch: The batch.
        split: Split to look at.
        mask: One boolean a row.
        features: Columns that the finding is about; they are shown first.

    Returns:
        Such as `train row 18: distance=-5, carrier=AA`, rows counted from 1; personal columns are left
        out. None when no row holds, or a column of the finding is personal.
    """
    if any(name in batch.personal for name in features) or not mask.any():
        return None
    at = int(np.argmax(mask))
    others = [name for name in batch.columns if name not in features and name not in batch.personal]
    shown = {name: batch.tables[split].column(name)[at].as_py() for name in [*features, *others]}
    return f"{split} row {at + 1:,}: {show_values(shown)}"


def show_values(row: Mapping[str, Any]) -> str:
    """Write the first columns of a row, as `distance=-5, carrier=AA`."""
    shown = [f"{name}={_show(value)}" for name, value in list(row.items())[:_SHOWN_COLUMNS]]
    return ", ".join([*shown, "…"] if len(row) > _SHOWN_COLUMNS else shown)


def missing_rows(column: ArrowColumn) -> Numbers:
    """Return for each row whether it is null or NaN."""
    return column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)


def show_expected(feature: FeatureStatistics, kind: str) -> str | None:
    """Show what a column of the baseline held: its most frequent value, or its median."""
    if feature.HasField("string_stats"):
        tops: Sequence[Any] = feature.string_stats.top_values
        return f"the baseline's most frequent value: {_show(tops[0].value)}" if tops else None
    if not any(histogram.buckets for histogram in feature.num_stats.histograms) or kind == "boolean":
        return None
    return f"the baseline's median: {feature.num_stats.median:g}"


def _show(value: object) -> str:
    if value is None:
        return "missing"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"

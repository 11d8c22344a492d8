"""Are the values fit to learn from? The label, numbers that are none, texts that nobody listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from components.data_validation.check_columns import quote
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch, ColumnCounts
from components.data_validation.illustrate import missing_rows, show_row
from components.data_validation.look_up import train_features, value_counts
from components.data_validation.messages import Anomalies, AnomalyType, ArrowColumn, Numbers
from components.data_validation.read import Baseline
from components.data_validation.rules import Finding

pc: Any = pyarrow.compute  # its functions are made when it is imported; no checker sees them

_MOST_CLASSES = 20  # whole numbers with more distinct values are quantities
# What other checks tell, and tell better.
_TOLD_ELSEWHERE = (
    "SCHEMA_MISSING_COLUMN", "SCHEMA_NEW_COLUMN", "FEATURE_TYPE_NOT_PRESENT",
    "FEATURE_TYPE_LOW_NUMBER_PRESENT", "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
)  # fmt: skip


def check_label(batch: Batch, label: str, config: ValidationConfig) -> Iterator[Finding]:
    """Yield what makes the label unfit: vanished, null in rows, one value only, or a class too rare."""
    if label not in batch.columns:
        message = f"label column `{label}` vanished — expected by the baseline's schema"
        yield Finding(rule="label_missing", feature=label, message=message)
        return
    if label in batch.personal:
        words = "its classes stand in the model, in its reports and in its answers"
        yield Finding(rule="label_personal", feature=label, message=f"label `{label}` is personal: {words}")
    for split, columns in batch.counts.items():
        counts = columns[label]
        if counts.missing:
            fix = f"add `WHERE {quote(label)} IS NOT NULL` to the query"
            rows = f"{counts.missing:,} of {counts.rows:,} {split} rows"
            message = f"label `{label}` is missing in {rows} — {fix}"
            example = show_row(batch, split, missing_rows(batch.column(split, label)), label)
            yield Finding(rule="label_null", feature=label, split=split, value=counts.missing,
                          threshold=0, message=message, example=example)  # fmt: skip
        if counts.distinct == 1:
            rule = "label_constant" if split == "train" else "label_one_class"
            message = f"label `{label}` has the same value in all {split} rows"
            example = show_row(batch, split, ~missing_rows(batch.column(split, label)), label)
            yield Finding(rule=rule, feature=label, split=split, value=1, threshold=2, message=message,
                          example=example)  # fmt: skip
    yield from _check_imbalance(batch, label, config)


def is_class_label(batch: Batch, label: str) -> bool:
    """Tell a label of classes from one of quantities: text, booleans, or few whole numbers."""
    kind, distinct = batch.columns[label], batch.counts["train"][label].distinct
    return (
        kind in ("string", "boolean") or distinct == 2 or (kind == "integer" and distinct <= _MOST_CLASSES)
    )


def _check_imbalance(batch: Batch, label: str, config: ValidationConfig) -> Iterator[Finding]:
    if not is_class_label(batch, label) or batch.counts["train"][label].distinct < 2:
        return
    column = batch.column("train", label)
    classes = column.filter(pa.array(~missing_rows(column))).value_counts()
    sizes = classes.field(1).to_numpy()
    ratio, rare = sizes.max() / sizes.min(), classes.field(0)[int(sizes.argmin())].as_py()
    if ratio > config.max_imbalance:
        named = "its rarest class" if label in batch.personal else f"class `{rare}`"
        words = f"{sizes.min():,} of {sizes.sum():,} train rows"
        message = f"label `{label}`: {named} has {words}, 1 to {ratio:,.0f} of the most frequent one"
        mask = np.array([value == rare for value in column.to_pylist()])
        yield Finding(rule="label_imbalance", feature=label, split="train", value=float(ratio),
                      threshold=config.max_imbalance, message=message,
                      example=show_row(batch, "train", mask, label))  # fmt: skip


def check_values(batch: Batch, label: str, config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns that are constant, hold infinities or NaN, or too many texts."""
    for split, columns in batch.counts.items():
        for name, counts in columns.items():
            if counts.rows:
                yield from _check_numbers(batch, split, name, counts)
            if split == "train" and name != label:
                yield from _check_variety(batch, name, counts, config)


def _check_numbers(batch: Batch, split: str, name: str, counts: ColumnCounts) -> Iterator[Finding]:
    found: dict[str, tuple[int, Any, str]] = {
        "nan_values": (counts.nan if counts.present else 0, np.isnan, "holds NaN"),
        "infinite_values": (counts.infinite, np.isinf, "is infinite"),
    }
    for rule, (count, test, words) in found.items():
        if count:
            message = f"column `{name}` {words} in {count:,} of {counts.rows:,} {split} rows"
            example = show_row(batch, split, test(_floats(batch.column(split, name))), name)
            yield Finding(rule=rule, feature=name, split=split, value=count, threshold=0, message=message,
                          example=example)  # fmt: skip


def _floats(column: ArrowColumn) -> Numbers:
    return column.fill_null(0.0).to_numpy(zero_copy_only=False)


def _check_variety(
    batch: Batch, name: str, counts: ColumnCounts, config: ValidationConfig
) -> Iterator[Finding]:
    if counts.distinct == 1 < counts.rows:
        example = show_row(batch, "train", ~missing_rows(batch.column("train", name)), name)
        yield Finding(rule="column_constant", feature=name, split="train", value=1, threshold=2,
                      message=f"column `{name}` holds one single value", example=example)  # fmt: skip
    if batch.columns[name] == "string" and counts.distinct > config.max_distinct_values:
        message = (
            f"column `{name}` holds {counts.distinct:,} different texts in {counts.present:,} train rows"
        )
        example = show_row(batch, "train", ~missing_rows(batch.column("train", name)), name)
        yield Finding(rule="many_values", feature=name, split="train", value=counts.distinct,
                      threshold=config.max_distinct_values, message=message, example=example)  # fmt: skip


def check_domains(batch: Batch, baseline: Baseline) -> Iterator[Finding]:
    """Yield text columns whose train split has values that the baseline's schema does not list."""
    domains = {domain.name: set(domain.value) for domain in baseline.schema.string_domain}
    known = {feature.name: domains[feature.domain] for feature in baseline.schema.feature if feature.domain}
    for name, stats in train_features(batch.statistics).items():
        if name not in known or not stats.HasField("string_stats"):
            continue
        unseen = {text: count for text, count in value_counts(stats).items() if text not in known[name]}
        if unseen:
            share = sum(unseen.values()) / batch.counts["train"][name].present
            shown = ", ".join(f"`{value}`" for value in list(unseen)[:3])
            more = f" and {len(unseen) - 3:,} more" if len(unseen) > 3 else ""
            message = f"column `{name}` holds unseen values in {share:.2%} of rows: {shown}{more}"
            rows = is_one_of(batch.column("train", name), list(unseen))
            yield Finding(rule="unseen_value", feature=name, split="train", value=share, threshold=0,
                          message=message, example=show_row(batch, "train", rows, name))  # fmt: skip


def is_one_of(column: ArrowColumn, values: Collection[Any]) -> Numbers:
    """Return for each row whether it holds one of some values; a missing one does not."""
    return pc.is_in(column, value_set=pa.array(values, column.type)).to_numpy(zero_copy_only=False)


def check_schema(batch: Batch, anomalies: Anomalies, told: Collection[str]) -> Iterator[Finding]:
    """Yield what TFDV found and no other check tells: constraints that people wrote into the schema.

    Args:
        batch: The batch.
        anomalies: What TFDV says of the train split.
        told: Columns that another check found to be absent, new, empty or of another type.
    """
    for name, info in sorted(anomalies.anomaly_info.items()):
        for reason in info.reason:
            kind = AnomalyType.Name(reason.type)
            if name not in told and kind not in _TOLD_ELSEWHERE:
                words = kind if name in batch.personal else reason.description or reason.short_description
                message = f"column `{name}`: {words}"
                yield Finding(rule="schema_anomaly", feature=name, split="train", value=kind,
                              message=message)  # fmt: skip

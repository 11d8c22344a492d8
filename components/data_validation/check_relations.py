"""Does one column give the answer away, and do two tell the same?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from components.data_validation.check_values import is_class_label
from components.data_validation.config import ValidationConfig
from components.data_validation.correlate import Association, correlate
from components.data_validation.describe import Batch
from components.data_validation.illustrate import missing_rows, show_row
from components.data_validation.measure_power import measure_power
from components.data_validation.rules import Finding
from components.data_validation.sample import sample_train


def measure_relations(batch: Batch, label: str) -> tuple[dict[str, float], list[Association]]:
    """Return how well each column alone foretells the label, and how closely features are bound.

    Personal columns are left out, as is the label from the bonds.
    """
    _, columns = sample_train(batch)
    if label not in columns:
        return {}, correlate({name: each for name, each in columns.items() if name != label})
    power = measure_power(columns, label, classes=is_class_label(batch, label))
    return power, correlate({name: each for name, each in columns.items() if name != label})


def check_leaks(
    batch: Batch, label: str, power: Mapping[str, float], config: ValidationConfig
) -> Iterator[Finding]:
    """Yield columns that alone foretell the label almost perfectly."""
    measure = "2·AUC − 1" if label in batch.columns and is_class_label(batch, label) else "R²"
    for name, value in power.items():
        if value > config.max_predictive_power:
            fix = "leave it out if it is known only afterwards; else set"
            lowered = f"`validation.columns.{name}.severities: {{label_leak: off}}`"
            words = f"foretells the label `{label}` ({measure} = {value:.3f})"
            message = f"column `{name}` alone {words} — {fix} {lowered}"
            yield Finding(rule="label_leak", feature=name, split="train", value=value,
                          threshold=config.max_predictive_power, message=message,
                          example=_row_with_both(batch, name, label))  # fmt: skip


def check_duplicates(
    batch: Batch, associations: Sequence[Association], config: ValidationConfig
) -> Iterator[Finding]:
    """Yield pairs of columns that tell the same; the later one of a pair is named as the feature."""
    for each in associations:
        if abs(each.value) > config.max_correlation:
            words = f"{each.measure} = {each.value:.3f}"
            message = f"columns `{each.second}` and `{each.first}` tell the same: {words}"
            yield Finding(rule="near_duplicate", feature=each.second, split="train", value=abs(each.value),
                          threshold=config.max_correlation, message=message,
                          example=_row_with_both(batch, each.second, each.first))  # fmt: skip


def _row_with_both(batch: Batch, first: str, second: str) -> str | None:
    present = [~missing_rows(batch.column("train", name)) for name in (first, second)]
    return show_row(batch, "train", np.logical_and(*present), first, second)

"""Does every column keep what the policy asks of it? Looked at in every row of every split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from components.common.artifacts import Kind
from components.common.errors import BadInputError
from components.data_validation.check_values import is_one_of
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch
from components.data_validation.illustrate import missing_rows, show_row
from components.data_validation.messages import ArrowColumn, Numbers
from components.data_validation.policy import ColumnPolicy
from components.data_validation.rules import Finding

_NUMBERS = ("integer", "float", "boolean")

Bound = float | str


def check_policy(batch: Batch, config: ValidationConfig) -> Iterator[Finding]:
    """Yield breaches of `config.columns`; columns that are absent are told elsewhere.

    Raises:
        BadInputError: A bound or a listed value is not of its column's kind.
    """
    for name, policy in config.columns.items():
        if name not in batch.columns:
            continue
        _require_fit(name, batch.columns[name], policy)
        for split in batch.tables:
            yield from find_outside(batch, split, name, policy.min, policy.max, "the policy")
            yield from _check_domain(batch, split, name, policy)
            yield from _check_required(batch, split, name, policy)
        if policy.unique:
            yield from _check_unique(batch, name)


def _require_fit(name: str, kind: Kind, policy: ColumnPolicy) -> None:
    number = kind in _NUMBERS
    given = {"min": [policy.min], "max": [policy.max], "domain": policy.domain or []}
    for key, values in given.items():
        for value in values:
            unordered = kind == "string" and key != "domain"
            if value is not None and (unordered or number == isinstance(value, str)):
                where, fix = f"parameter `validation.columns.{name}.{key}`", f"the column is of kind {kind}"
                raise BadInputError("no bound for such a column", where=where, value=value, fix=fix)


def find_outside(
    batch: Batch, split: str, name: str, low: Bound | None, high: Bound | None, who: str
) -> Iterator[Finding]:
    """Yield a column's values below or above a bound; infinities are told elsewhere.

    Args:
        batch: The batch.
        split: Split to look at.
        name: Column, of numbers, dates or timestamps.
        low: Smallest value allowed, or None.
        high: Largest value allowed, or None.
        who: Who allows no more, for the message.
    """
    values, present = _comparable(batch.column(split, name))
    sides: dict[str, tuple[Bound | None, Callable[[Any, Any], Numbers], Callable[[Any], Any]]] = {
        "below": (low, np.less, min), "above": (high, np.greater, max),
    }  # fmt: skip
    for side, (bound, beyond, extreme) in sides.items():
        mask = present & beyond(values, bound) if bound is not None and len(values) else np.array([False])
        if count := int(mask.sum()):
            worst = None if name in batch.personal else extreme(values[mask].tolist())
            shown = "" if worst is None else f", as far as {worst}"
            words = f"in {count:,} of {len(values):,} {split} rows{shown}"
            message = f"column `{name}` is {side} {bound}, the bound of {who}, {words}"
            yield Finding(rule="out_of_range", feature=name, split=split, threshold=bound, message=message,
                          value=count if worst is None else worst,
                          example=show_row(batch, split, mask, name))  # fmt: skip


def _comparable(column: ArrowColumn) -> tuple[Any, Numbers]:
    present = ~missing_rows(column)
    if pa.types.is_large_string(column.type):
        return np.array(column.fill_null("").to_pylist(), dtype=object), present
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    return values, present & np.isfinite(values)


def _check_domain(batch: Batch, split: str, name: str, policy: ColumnPolicy) -> Iterator[Finding]:
    if policy.domain is None:
        return
    column = batch.column(split, name)
    mask = ~missing_rows(column) & ~is_one_of(column, policy.domain)
    if count := int(mask.sum()):
        words = f"in {count:,} of {len(column):,} {split} rows"
        message = f"column `{name}` holds none of the {len(policy.domain):,} listed values {words}"
        yield Finding(rule="outside_domain", feature=name, split=split, value=count, threshold=0,
                      message=message, example=show_row(batch, split, mask, name))  # fmt: skip


def _check_required(batch: Batch, split: str, name: str, policy: ColumnPolicy) -> Iterator[Finding]:
    counts = batch.counts[split][name]
    if policy.required and counts.missing:
        words = f"in {counts.missing:,} of {counts.rows:,} {split} rows"
        message = f"column `{name}` is required, and missing {words}"
        example = show_row(batch, split, missing_rows(batch.column(split, name)), name)
        yield Finding(rule="required_missing", feature=name, split=split, value=counts.missing, threshold=0,
                      message=message, example=example)  # fmt: skip


def _check_unique(batch: Batch, name: str) -> Iterator[Finding]:
    columns = {split: batch.column(split, name).drop_null() for split in batch.tables}
    counted = pa.chunked_array(list(columns.values())).value_counts()
    repeated = counted.field(0).filter(pa.array(counted.field(1).to_numpy() > 1))
    if not len(repeated):
        return
    first = repeated[0].as_py()
    rows = {split: is_one_of(batch.column(split, name), [first]) for split in batch.tables}
    shown = [show_row(batch, split, mask, name) for split, mask in rows.items() if mask.any()]
    message = f"column `{name}` is to be unique, and {len(repeated):,} of its values stand in several rows"
    yield Finding(rule="not_unique", feature=name, value=len(repeated), threshold=0, message=message,
                  example=shown[0])  # fmt: skip

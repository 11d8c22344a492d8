"""Does every column keep what the policy asks of it? Looked at in every row of every split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from components.data_validation.policy import ColumnPolicy, is_iso
from components.data_validation.rules import Finding

_FORMS: Mapping[Kind, str] = {"date": "YYYY-MM-DD", "timestamp": "YYYY-MM-DDTHH:MM:SS"}
_NUMBERS = ("integer", "float", "boolean")

Bound = float | str


def check_policy(batch: Batch, config: ValidationConfig) -> Iterator[Finding]:
    """Yield breaches of `config.columns`; columns that are absent are told elsewhere."""
    for name, policy in config.columns.items():
        if name not in batch.columns:
            continue
        yield from find_outside(batch, name, policy.min, policy.max, "the policy")
        if policy.domain is not None:
            yield from _check_domain(batch, name, policy)
        if policy.required:
            yield from _check_required(batch, name)
        if policy.unique:
            yield from _check_unique(batch, name)


def require_bounds(columns: Mapping[str, Kind], config: ValidationConfig) -> None:
    """Refuse bounds and listed values that their columns cannot hold.

    Raises:
        BadInputError: A number for text, text for numbers, or a date or timestamp of another form than
            the column's, which is compared as text; the column and the value are named.
    """
    for name, policy in config.columns.items():
        if name in columns:
            _require_bounds(name, columns[name], policy)


def _require_bounds(name: str, kind: Kind, policy: ColumnPolicy) -> None:
    given = {"min": [policy.min], "max": [policy.max], "domain": policy.domain or []}
    for key, values in given.items():
        for value in values:
            unordered = kind == "string" and key != "domain"
            if value is not None and (unordered or not _can_hold(kind, value)):
                where, form = f"parameter `validation.columns.{name}.{key}`", _FORMS.get(kind)
                fix = f"the column is of kind {kind}" + (f": write {form}" if form else "")
                raise BadInputError("no value to hold it against", where=where, value=value, fix=fix)


def _can_hold(kind: Kind, value: Bound) -> bool:
    if not isinstance(value, str):
        return kind in _NUMBERS
    return kind == "string" or (kind in _FORMS and is_iso(value, kind))


def find_outside(
    batch: Batch, name: str, low: Bound | None, high: Bound | None, who: str
) -> Iterator[Finding]:
    """Yield a column's values below or above a bound; infinities are told elsewhere.

    Args:
        batch: The batch.
        name: Column, of numbers, dates or timestamps.
        low: Smallest value allowed, or None.
        high: Largest value allowed, or None.
        who: Who allows no more, for the message.
    """
    sides: dict[str, tuple[Bound | None, Callable[[Any, Any], Numbers], Callable[[Any], Any]]] = {
        "below": (low, np.less, min), "above": (high, np.greater, max),
    }  # fmt: skip
    for side, (bound, beyond, extreme) in sides.items():
        if bound is None:
            continue
        columns = {split: _comparable(batch.column(split, name)) for split in batch.tables}
        masks = {split: present & beyond(values, bound) for split, (values, present) in columns.items()}
        if not (count := _count(masks)):
            continue
        found = [value for split, (values, _) in columns.items() for value in values[masks[split]].tolist()]
        worst = None if name in batch.personal else extreme(found)
        shown = "" if worst is None else f", as far as {worst}"
        message = f"column `{name}` is {side} {bound}, the bound of {who}, {_words(masks)}{shown}"
        yield Finding(rule="out_of_range", feature=name, value=count if worst is None else worst,
                      threshold=bound, message=message, example=_example(batch, name, masks))  # fmt: skip


def _comparable(column: ArrowColumn) -> tuple[Any, Numbers]:
    present = ~missing_rows(column)
    if pa.types.is_large_string(column.type):
        return np.array(column.fill_null("").to_pylist(), dtype=object), present
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    return values, present & np.isfinite(values)


def _check_domain(batch: Batch, name: str, policy: ColumnPolicy) -> Iterator[Finding]:
    columns = {split: batch.column(split, name) for split in batch.tables}
    listed = policy.domain or []
    masks = {split: ~missing_rows(each) & ~is_one_of(each, listed) for split, each in columns.items()}
    if count := _count(masks):
        message = f"column `{name}` holds none of the {len(listed):,} listed values {_words(masks)}"
        yield Finding(rule="outside_domain", feature=name, value=count, threshold=0, message=message,
                      example=_example(batch, name, masks))  # fmt: skip


def _check_required(batch: Batch, name: str) -> Iterator[Finding]:
    masks = {split: missing_rows(batch.column(split, name)) for split in batch.tables}
    if count := _count(masks):
        message = f"column `{name}` is required, and missing {_words(masks)}"
        yield Finding(rule="required_missing", feature=name, value=count, threshold=0, message=message,
                      example=_example(batch, name, masks))  # fmt: skip


def _check_unique(batch: Batch, name: str) -> Iterator[Finding]:
    columns = {split: batch.column(split, name) for split in batch.tables}
    counted = pa.chunked_array([each.drop_null() for each in columns.values()]).value_counts()
    repeated = counted.field(0).filter(pa.array(counted.field(1).to_numpy() > 1))
    if len(repeated):
        masks = {split: is_one_of(each, [repeated[0].as_py()]) for split, each in columns.items()}
        message = f"column `{name}` is to be unique, and {len(repeated):,} of its values recur"
        yield Finding(rule="not_unique", feature=name, value=len(repeated), threshold=0, message=message,
                      example=_example(batch, name, masks))  # fmt: skip


def _count(masks: Mapping[str, Numbers]) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


def _words(masks: Mapping[str, Numbers]) -> str:
    parts = ", ".join(f"{int(mask.sum()):,} {split}" for split, mask in masks.items() if mask.any())
    return f"in {_count(masks):,} of {sum(map(len, masks.values())):,} rows ({parts})"


def _example(batch: Batch, name: str, masks: Mapping[str, Numbers]) -> str | None:
    split = next(split for split, mask in masks.items() if mask.any())
    return show_row(batch, split, masks[split], name)

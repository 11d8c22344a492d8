"""The forms of single values that a server takes, by the kind of their input, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from components.common.artifacts import Kind

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueForm:
    """A form that values of a kind must have.

    Attributes:
        told: What it is, in words.
        normalise: Returns a value, not None, as it enters the model; raises `ValueError`, `TypeError` or
            `OverflowError` for one of another form.
    """

    told: str
    normalise: Callable[[Any], Any]


def _normalise_timestamp(value: Any) -> str:
    """Write a moment as ingestion does: `YYYY-MM-DDTHH:MM:SS` in UTC, fractions of a second cut off.

    A moment is a day; or a day, `T` or a space, and a time to the minute or finer, with `Z`, an offset, or
    neither, which is UTC.
    """
    if not _MOMENT.fullmatch(value):
        raise ValueError("another form")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year > 999 else moment.isoformat()[:19]


def _normalise_boolean(value: Any) -> Any:
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise ValueError
    return value


def _normalise_integer(value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError
    return value


def _normalise_date(value: Any) -> str:
    if not _DAY.fullmatch(value):
        raise ValueError
    date.fromisoformat(value)
    return value


VALUE_FORMS: Mapping[Kind, ValueForm] = {
    "boolean": ValueForm(told="true, false, 0 or 1", normalise=_normalise_boolean),
    "integer": ValueForm(told="a whole number", normalise=_normalise_integer),
    "date": ValueForm(told="a date of the form YYYY-MM-DD", normalise=_normalise_date),
    "timestamp": ValueForm(
        told="a timestamp of ISO 8601, such as YYYY-MM-DDTHH:MM:SS, with Z or an offset or neither",
        normalise=_normalise_timestamp,
    ),
}
"""Kinds that are not here have no form beyond their type, which encoding checks."""

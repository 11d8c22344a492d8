"""Rows against `signature.json`: what is wrong is said by the name of the input and the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from components.common.artifacts import Signature
from components.common.encoding import InputError, Values, edge_mask, encode_columns

Columns = dict[str, list[Any]]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?")


def encode_request(columns: Mapping[str, list[Any]], signature: Signature) -> dict[str, Values]:
    """Turn a request's columns into what the model takes.

    Timestamps are taken in all the forms of ISO 8601 that ingestion takes, and to UTC as there.

    Args:
        columns: Values by input, all of one length; None is a missing value.
        signature: The model's inputs.

    Raises:
        InputError: A required value is missing, or a value is of another type or form than its input;
            the input, the row and the value are named.
    """
    checked = dict(columns)
    for entry in signature.inputs:
        check = _CHECKS.get(entry["kind"])
        if check is not None and entry["name"] in checked:
            checked[entry["name"]] = _checked(entry["name"], entry["kind"], check, checked[entry["name"]])
    encoded = encode_columns(checked, signature, require=True)
    for name, values in encoded.items():
        _refuse_edges(name, values, columns)
    return encoded


def _refuse_edges(name: str, values: Values, columns: Mapping[str, list[Any]]) -> None:
    wrong = np.flatnonzero(edge_mask(values))
    if len(wrong):
        row = int(wrong[0])
        what = "too large for FP32" if np.isinf(values[row]) else "too small for FP32, and not 0"
        raise InputError(what, name=name, row=row, value=columns[name][row])


def normalise_timestamp(value: str) -> str:
    """Write a moment as ingestion does: `YYYY-MM-DDTHH:MM:SS` in UTC, fractions of a second cut off.

    Args:
        value: ISO 8601: a day; or a day, `T` or a space, and a time to the minute or finer, with `Z`, an
            offset, or neither, which is UTC.

    Raises:
        ValueError: It has another form, or there is no such moment.
    """
    if not _MOMENT.fullmatch(value):
        raise ValueError("another form")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year > 999 else moment.isoformat()[:19]


def _checked(name: str, kind: str, check: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    if kind == "integer" and bool not in set(map(type, values)):
        return values
    result: list[Any] = []
    for row, value in enumerate(values):
        try:
            result.append(None if value is None else check(value))
        except (ValueError, TypeError, OverflowError) as error:
            what = f"must be {_FORMS[kind]}"
            raise InputError(what, name=name, row=row, value=value) from error
    return result


def _boolean(value: Any) -> Any:
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise ValueError
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError
    return value


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError
    date.fromisoformat(value)
    return value


def _timestamp(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return normalise_timestamp(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "date": _date,
    "timestamp": _timestamp,
}
_FORMS = {
    "boolean": "true, false, 0 or 1",
    "integer": "a whole number",
    "date": "a date of the form YYYY-MM-DD",
    "timestamp": "a timestamp of ISO 8601, such as YYYY-MM-DDTHH:MM:SS, with Z or an offset or neither",
}

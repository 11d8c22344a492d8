"""Rows against `signature.json`: what is wrong is said by the name of the input and the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.common.artifacts import Signature
from components.common.encoding import InputError, Values, edge_mask, encode_columns
from components.common.value_forms import VALUE_FORMS, ValueForm

Columns = dict[str, list[Any]]


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
        name, form = entry["name"], VALUE_FORMS.get(entry["kind"])
        if form is not None and name in checked:
            checked[name] = _checked(name, entry["kind"], form, checked[name])
    encoded = encode_columns(checked, signature, require=True)
    for name, values in encoded.items():
        _refuse_edges(name, values, columns)
    return encoded


def _refuse_edges(name: str, values: Values, columns: Mapping[str, list[Any]]) -> None:
    if values.dtype.kind != "f":
        return
    wrong = edge_mask(values)
    wrong[[row for row in np.flatnonzero(values == 0).tolist() if columns[name][row]]] = True
    if wrong.any():
        row = int(wrong.argmax())
        what = "too large for FP32" if np.isinf(values[row]) else "too small for FP32, and not 0"
        raise InputError(what, name=name, row=row, value=columns[name][row])


def _checked(name: str, kind: str, form: ValueForm, values: list[Any]) -> list[Any]:
    if kind == "integer" and bool not in set(map(type, values)):
        return values
    result: list[Any] = []
    for row, value in enumerate(values):
        try:
            result.append(None if value is None else form.normalise(value))
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(f"must be {form.told}", name=name, row=row, value=value) from error
    return result

"""Golden requests: raw rows with the model's answers, which every server of the model must repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Signature
from components.common.encoding import edge_mask, encode_column, missing_mask
from components.common.errors import BadInputError
from components.common.golden import Row
from components.common.value_forms import VALUE_FORMS, ValueForm
from components.evaluation.predict import LoadedModel
from components.evaluation.split_refused import find_refused

UNSEEN_STRING = "__unseen__"
UNSEEN_INTEGER = 2**31 - 1

_MADE_UP = {
    "string": UNSEEN_STRING,
    "integer": UNSEEN_INTEGER,
    "boolean": 0,
    "float": 0.0,
    "date": "1970-01-01",
    "timestamp": "1970-01-01T00:00:00",
}

_Columns = dict[str, list[Any]]


def record_golden(
    model: LoadedModel,
    table: Any,
    *,
    rows: int,
    batch_size: int,
    personal: frozenset[str] = frozenset(),
) -> list[Row]:
    """Choose raw rows and record what the model answers to them.

    Three quarters or more are rows of the test split, spread evenly, up to a quarter of all with a
    missing value of their own. The others are made of them: optional inputs set to null (all at once,
    then one at a time), text and whole numbers set to values that no training saw.

    Args:
        model: Answers them.
        table: Raw columns of the test split.
        rows: How many to record; fewer when the split is smaller, or the model has no answer, or no
            finite one, to some.
        batch_size: Rows per call.
        personal: Columns whose values are replaced: by null in an optional input, else by a made-up one.

    Returns:
        `{"inputs": {name: value or None}, "outputs": {name: value}}` each; none when no answer is finite.
        The same data and model give the same rows.

    Raises:
        BadInputError: Every row lacks an input that is not optional, so that none could be sent, or the
            model fails for each.
    """
    edits = _list_edits(model.signature)[: rows // 4]
    chosen = _choose_rows(table, model.signature, rows - len(edits))
    columns = _take(table, model.signature, chosen)
    for entry in model.signature.inputs:
        if entry["name"] in personal:
            made_up = None if entry["optional"] else _MADE_UP[entry["kind"]]
            columns[entry["name"]] = [made_up] * len(chosen)
    for number, edit in enumerate(edits):
        for name, values in columns.items():
            values.append(edit.get(name, values[number % len(chosen)]))
    encoded = model.encode(columns)
    refused = {*find_refused(model, encoded, batch_size)}
    answered = [number for number in range(len(chosen) + len(edits)) if number not in refused]
    if not answered:
        what = "the model fails for every row that could be a request"
        raise BadInputError(what, where="golden requests", fix="check `preprocessing_fn`")
    rest = {name: values[answered] for name, values in encoded.items()}
    answers = model.answer_encoded(rest, batch_size=batch_size)
    return [
        {
            "inputs": {name: columns[name][number] for name in model.inputs},
            "outputs": {model.output: answer.tolist()},
        }
        for number, answer in zip(answered, answers, strict=True)
        if np.isfinite(answer).all()
    ]


def _list_edits(signature: Signature) -> list[dict[str, Any]]:
    optional = [entry["name"] for entry in signature.inputs if entry["optional"]]
    texts = [entry["name"] for entry in signature.inputs if entry["kind"] == "string"]
    numbers = [entry["name"] for entry in signature.inputs if entry["kind"] == "integer"]
    together = [
        dict.fromkeys(optional),
        dict.fromkeys(texts, UNSEEN_STRING),
        dict.fromkeys(numbers, UNSEEN_INTEGER),
    ]
    single = [{name: None} for name in optional] if len(optional) > 1 else []
    single += [{name: UNSEEN_STRING} for name in texts] if len(texts) > 1 else []
    return [edit for edit in [*together, *single] if edit]


def _choose_rows(table: Any, signature: Signature, count: int) -> NDArray[np.intp]:
    """Return row numbers, ascending; only of rows that a server takes."""
    sendable = np.ones(table.num_rows, np.bool_)
    incomplete = np.zeros(table.num_rows, np.bool_)
    for entry in signature.inputs:
        if entry["name"] not in table.column_names:
            continue
        missing = _unsendable(table.column(entry["name"]), entry)
        if entry["optional"]:
            incomplete |= missing
        else:
            sendable &= ~missing
    if not sendable.any():
        fix = "check the schema: an input without missing values in training is missing in every test row"
        raise BadInputError("no row of the test split can be a request", where="golden requests", fix=fix)
    gaps = _spread(np.flatnonzero(sendable & incomplete), count // 4)
    whole = _spread(np.flatnonzero(sendable & ~incomplete), count - len(gaps))
    rest = np.setdiff1d(np.flatnonzero(sendable), [*gaps, *whole])
    more = _spread(rest, count - len(gaps) - len(whole))
    return np.sort(np.concatenate([gaps, whole, more]))


def _spread(numbers: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    if len(numbers) <= count:
        return numbers
    return numbers[np.arange(count) * len(numbers) // max(count, 1)]


def _take(table: Any, signature: Signature, chosen: NDArray[np.intp]) -> _Columns:
    """Return the raw values of rows; what no server takes is missing."""
    rows = table.take(chosen)
    columns: _Columns = {entry["name"]: [None] * len(chosen) for entry in signature.inputs}
    for entry in signature.inputs:
        if (name := entry["name"]) in rows.column_names:
            gone = _unsendable(rows.column(name), entry).tolist()
            values = zip(rows.column(name).to_pylist(), gone, strict=True)
            columns[name] = [None if missing else value for value, missing in values]
    return columns


def _unsendable(column: Any, entry: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which values are missing, or would be refused by a server or changed by it."""
    encoded = encode_column(column, entry["datatype"], name=entry["name"])
    unsendable = missing_mask(encoded) | edge_mask(encoded)
    if entry["datatype"] == "FP32":
        unsendable |= (encoded == 0) & (np.asarray(column) != 0)  # FP32 alone takes it for 0
    form = VALUE_FORMS.get(entry["kind"])
    if form is not None and entry["kind"] != "integer":  # numbers that are not whole were refused before
        unsendable |= ~np.concatenate([_enter(chunk, form) for chunk in column.chunks])
    return unsendable


def _enter(values: Any, form: ValueForm) -> NDArray[np.bool_]:
    """Return which values of an Arrow array enter a model as they are; each is looked at once."""
    found = values.dictionary_encode("encode")
    known = [_enters(value, form) for value in found.dictionary.to_pylist()]
    return np.array(known, np.bool_)[found.indices.to_numpy()]


def _enters(value: Any, form: ValueForm) -> bool:
    try:
        return value is not None and form.normalise(value) == value
    except (ValueError, TypeError, OverflowError):
        return False

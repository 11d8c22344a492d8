"""Requests against `signature.json`: what is wrong is said by the name of the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from components.common.artifacts import Signature
from components.common.config import require_known
from components.common.encoding import Values, encode_columns
from components.common.errors import BadInputError

_FORMS = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    "timestamp": (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
}


def read_tensors(payload: Any, signature: Signature, *, max_rows: int) -> dict[str, list[Any]]:
    """Take the columns out of a request of the Open Inference Protocol v2.

    Args:
        payload: The parsed body: `{"inputs": [{name, datatype, shape, data}], …}`.
        signature: The model's inputs.
        max_rows: Most rows.

    Returns:
        Values by input, all of one length; None is a missing value.

    Raises:
        BadInputError: The body has another form; the field is named.
    """
    tensors = _field(payload, "inputs", list, where="request")
    declared = {entry["name"]: entry for entry in signature.inputs}
    columns: dict[str, list[Any]] = {}
    for number, tensor in enumerate(tensors):
        name = _field(tensor, "name", str, where=f"inputs[{number}]")
        require_known([name], declared, where="inputs")
        if name in columns:
            raise BadInputError("given twice", where=f"input `{name}`")
        columns[name] = _tensor_values(tensor, declared[name]["datatype"], where=f"input `{name}`")
    _require_one_length(columns)
    _require_rows(len(next(iter(columns.values()), [])), max_rows)
    return columns


def read_instances(payload: Any, signature: Signature, *, max_rows: int) -> dict[str, list[Any]]:
    """Take the columns out of a request of the v1 protocol.

    Args:
        payload: The parsed body: `{"instances": [{name: value or null}, …]}`.
        signature: The model's inputs.
        max_rows: Most rows.

    Returns:
        Values by input, all of one length; None is a missing value.

    Raises:
        BadInputError: The body has another form; the instance and the field are named.
    """
    instances = _field(payload, "instances", list, where="request")
    _require_rows(len(instances), max_rows)
    names = [entry["name"] for entry in signature.inputs]
    required = [entry["name"] for entry in signature.inputs if not entry["optional"]]
    for number, instance in enumerate(instances):
        where = f"instances[{number}]"
        if not isinstance(instance, dict) or not instance:
            raise BadInputError("must be an object with the inputs by name", where=where, value=instance)
        require_known(instance, names, where=where)
        if absent := [name for name in required if name not in instance]:
            raise BadInputError("a required input is absent", where=f"{where}, input `{absent[0]}`")
    return {name: [instance.get(name) for instance in instances] for name in names}


def encode_request(columns: Mapping[str, list[Any]], signature: Signature) -> dict[str, Values]:
    """Turn a request's columns into what the model takes.

    Raises:
        BadInputError: A required value is missing, or a value is of another type or form than its
            input; the input, the row and the value are named.
    """
    for entry in signature.inputs:
        _check_kind(entry["name"], entry["kind"], columns.get(entry["name"], ()))
    encoded = encode_columns(columns, signature, require=True)
    for name, values in encoded.items():
        if values.dtype.kind == "f" and np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            raise BadInputError(
                "too large for FP32", where=f"input `{name}`, row {row}", value=columns[name][row]
            )
    return encoded


def _tensor_values(tensor: Mapping[str, Any], datatype: str, *, where: str) -> list[Any]:
    given = _field(tensor, "datatype", str, where=where)
    shape = _field(tensor, "shape", list, where=where)
    data = _field(tensor, "data", list, where=where)
    if given != datatype:
        raise BadInputError(f"`datatype` must be {datatype}", where=where, value=given)
    if len(shape) == 2 and all(isinstance(item, list) and len(item) == 1 for item in data):
        data = [item[0] for item in data]
    if shape not in ([len(data)], [len(data), 1]) or any(isinstance(size, bool) for size in shape):
        form = f"`shape` must be [{len(data)}] or [{len(data)}, 1], the length of `data`"
        raise BadInputError(form, where=where, value=shape)
    return data


def _check_kind(name: str, kind: str, values: Iterable[Any]) -> None:
    for row, value in enumerate(values):
        if value is None:
            continue
        where = f"input `{name}`, row {row}"
        if kind == "boolean" and (not isinstance(value, (bool, int, float)) or value not in (0, 1)):
            raise BadInputError("must be true, false, 0 or 1", where=where, value=value)
        if kind != "boolean" and isinstance(value, bool):
            raise BadInputError(f"must be of kind {kind}", where=where, value=value)
        if kind in _FORMS and not _has_form(value, kind):
            form = "YYYY-MM-DD" if kind == "date" else "YYYY-MM-DDTHH:MM:SS"
            raise BadInputError(f"must be a {kind} of the form {form}", where=where, value=value)


def _has_form(value: Any, kind: str) -> bool:
    pattern, form = _FORMS[kind]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        return False
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True


def _field(content: Any, key: str, kind: type, *, where: str) -> Any:
    words = {list: "a list", str: "a string"}
    if not isinstance(content, dict):
        raise BadInputError("must be a JSON object", where=where, value=type(content).__name__)
    if not isinstance(content.get(key), kind):
        raise BadInputError(f"`{key}` must be given as {words[kind]}", where=where, value=content.get(key))
    return content[key]


def _require_rows(rows: int, most: int) -> None:
    if not 1 <= rows <= most:
        raise BadInputError(f"a request has 1 to {most} rows", where="request", value=rows)


def _require_one_length(columns: Mapping[str, list[Any]]) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    first = next(iter(lengths.values()), 0)
    for name, length in lengths.items():
        if length != first:
            what = f"must have {first} values like the others"
            raise BadInputError(what, where=f"input `{name}`", value=length)

"""What a request holds, as columns: the forms of all protocols end in the same lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.common.artifacts import Signature
from components.common.config import require_known
from components.common.encoding import InputError
from components.common.errors import BadInputError
from components.serving.binary import read_binary
from components.serving.check import Columns


def read_tensors(payload: Any, signature: Signature, *, max_rows: int, binary: bytes = b"") -> Columns:
    """Take the columns out of a request of the Open Inference Protocol v2.

    Args:
        payload: The parsed JSON: `{"inputs": [{name, datatype, shape, data}], …}`. A tensor with
            `parameters.binary_data_size` has its data in `binary` instead.
        signature: The model's inputs.
        max_rows: Most rows.
        binary: What follows the JSON, tensor after tensor.

    Returns:
        Values by input, all of one length; None is a missing value.

    Raises:
        BadInputError: The body has another form; the field is named.
    """
    tensors = _field(payload, "inputs", list, where="request")
    declared = {entry["name"]: entry for entry in signature.inputs}
    columns: Columns = {}
    place = 0
    for number, tensor in enumerate(tensors):
        name = _field(tensor, "name", str, where=f"inputs[{number}]")
        require_known([name], declared, where="inputs")
        if name in columns:
            raise InputError("given twice", name=name)
        size = _binary_size(tensor, name)
        piece = None if size is None else binary[place : place + size]
        place += size or 0
        columns[name] = _tensor_values(tensor, declared[name]["datatype"], name, piece)
    if place != len(binary):
        what = f"the tensors' `binary_data_size` add up to {place} bytes, and {len(binary)} follow the JSON"
        raise BadInputError(what, where="request")
    return check_lengths(columns, max_rows)


def read_instances(payload: Any, signature: Signature, *, max_rows: int) -> Columns:
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
    names = {entry["name"]: not entry["optional"] for entry in signature.inputs}
    required = [name for name, needed in names.items() if needed]
    for number, instance in enumerate(instances):
        if not isinstance(instance, dict) or not instance:
            what = "must be an object with the inputs by name"
            raise BadInputError(what, where=f"instances[{number}]", value=instance)
        if not instance.keys() <= names.keys():
            require_known(instance, names, where=f"instances[{number}]")
        for name in required:
            if name not in instance:
                raise InputError("a required input is absent", name=name, row=number, fix="send it")
    return {name: [instance.get(name) for instance in instances] for name in names}


def check_lengths(columns: Columns, max_rows: int) -> Columns:
    """Return columns that are of one length, of 1 to `max_rows` rows; raises `BadInputError` otherwise."""
    first = len(next(iter(columns.values()), []))
    for name, values in columns.items():
        if len(values) != first:
            raise InputError(f"must have {first} values like the others", name=name, value=len(values))
    _require_rows(first, max_rows)
    return columns


def check_shape(shape: Any, rows: int, name: str) -> None:
    """Refuse a shape that is neither `[rows]` nor `[rows, 1]`, by an `InputError`."""
    if shape not in ([rows], [rows, 1]) or any(isinstance(size, bool) for size in shape):
        form = f"`shape` must be [{rows}] or [{rows}, 1], the length of `data`"
        raise InputError(form, name=name, value=shape)


def check_datatype(given: str, datatype: str, name: str) -> None:
    """Refuse a tensor of another type than its input, by an `InputError`."""
    if given != datatype:
        raise InputError(f"`datatype` must be {datatype}", name=name, value=given)


def _tensor_values(tensor: Mapping[str, Any], datatype: str, name: str, binary: bytes | None) -> list[Any]:
    where = f"input `{name}`"
    check_datatype(_field(tensor, "datatype", str, where=where), datatype, name)
    shape = _field(tensor, "shape", list, where=where)
    if binary is not None:
        data = read_binary(binary, datatype, name)
    else:
        data = _field(tensor, "data", list, where=where)
        if len(shape) == 2 and all(isinstance(item, list) and len(item) == 1 for item in data):
            data = [item[0] for item in data]
    check_shape(shape, len(data), name)
    return data


def _binary_size(tensor: Mapping[str, Any], name: str) -> int | None:
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0 or "data" in tensor:
        what = "`binary_data_size` must be a number of bytes, and stands in place of `data`"
        raise InputError(what, name=name, value=size)
    return size


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

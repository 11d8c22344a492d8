"""What of a request decides who answers it: the value of a header, or of one of the model's inputs."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.common.errors import BadInputError
from components.common.headers import JSON_LENGTH

_INPUT = "input:"  # else a header
_UNREADABLE = (
    ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error
)  # fmt: skip


def read_key(sticky: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the key of a request for predictions; None where its header is absent.

    A whole number is the same key as its text, so that all protocols and a table of outcomes agree.

    Args:
        sticky: Name of a header, or `input:` and the name of an input.
        headers: Of the request.
        body: Of the request: the v1 protocol, or the Open Inference Protocol v2 as JSON or with binary
            tensors.

    Raises:
        BadInputError: The input is absent or has no such value in a row, or its rows differ: a request is
            answered by one revision.
    """
    if not sticky.startswith(_INPUT):
        return headers.get(sticky)
    name = sticky.removeprefix(_INPUT)
    where = f"input `{name}`, which decides who answers"
    try:
        keys = {_text(value) for value in _values(name, headers, body)}
    except _UNREADABLE:
        keys = set[str]()
    if not keys:
        what = "absent, or neither a text nor a whole number"
        raise BadInputError(what, where=where, fix="send it in every row")
    if len(keys) > 1:
        fix = "send a request for each value"
        raise BadInputError("differs between rows", where=where, value=sorted(keys)[:2], fix=fix)
    return keys.pop()


def _values(name: str, headers: Mapping[str, str], body: bytes) -> Sequence[Any]:
    """Return an input's values; raises one of `_UNREADABLE` where a request has not got them."""
    head = int(headers.get(JSON_LENGTH, len(body)))
    content = json.loads(body[:head])
    if "instances" in content:
        return [instance[name] for instance in content["instances"]]
    for tensor in content["inputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size", 0)
        if tensor["name"] == name:
            return tensor["data"] if "data" in tensor else _unpacked(tensor["datatype"], body[head:][:size])
        head += size
    raise KeyError(name)


def _unpacked(datatype: str, content: bytes) -> list[Any]:
    if datatype == "INT64":
        return [value for (value,) in struct.iter_unpack("<q", content)]
    if datatype != "BYTES":
        raise TypeError
    found, place = list[str](), 0
    while place < len(content):
        (size,) = struct.unpack_from("<I", content, place)
        found.append(content[place + 4 : place + 4 + size].decode())
        place += 4 + size
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):  # of the shape [rows, 1]
        (value,) = value
    if isinstance(value, str) and value != MISSING_STRING:
        return value
    if isinstance(value, (int, float)) and value == int(value) != MISSING_INTEGER:
        return str(int(value))
    raise TypeError

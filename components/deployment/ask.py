"""Asking an endpoint, by each protocol that it speaks: rows as columns in, answers as columns out."""

from __future__ import annotations

import http.client
import json
import math
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING, Signature
from components.common.errors import RefusedError, UnavailableError
from components.common.headers import JSON_LENGTH, REVISION
from components.common.wire import message, messages, packed, text
from components.deployment.connect import connect

_TIMEOUT_SECONDS = 60.0

Columns = Mapping[str, Sequence[Any]]
Answers = dict[str, list[Any]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom to ask.

    Attributes:
        url: The infer address (Open Inference Protocol v2).
        name: Model name.
        signature: Inputs and outputs of the model.
        revision: The revision to ask, or None for whichever the shares choose.
        grpc: The revision's address for gRPC, or None when it has none.
    """

    url: str
    name: str
    signature: Signature
    revision: str | None = None
    grpc: str | None = None


def protocols(asked: Asked) -> dict[str, Callable[[Asked, Columns], Answers]]:
    """Return how an endpoint can be asked, by the names of the protocols."""
    known = {"v2": ask_v2, "v1": ask_v1, "v2 binary": ask_v2_binary}
    return known if asked.grpc is None else {**known, "gRPC": ask_grpc}


def ask_v2(asked: Asked, columns: Columns) -> Answers:
    """Ask by JSON of the Open Inference Protocol v2.

    Args:
        asked: Whom.
        columns: Values by input, None where one is missing.

    Returns:
        For each output one entry a row: a number, or a list of numbers.

    Raises:
        RefusedError: The request was refused.
        UnavailableError: There was no answer, or none of a model server; the address is named.
    """
    inputs = [
        {**_tensor(entry, columns), "data": list(columns[entry["name"]])}
        for entry in asked.signature.inputs
    ]
    answer, _ = _post(asked, asked.url, json.dumps({"inputs": inputs}).encode(), {})
    with _reading(asked.url):
        outputs = json.loads(answer)["outputs"]
        return {output["name"]: _rows(output["data"], output["shape"]) for output in outputs}


def ask_v1(asked: Asked, columns: Columns) -> Answers:
    """Ask by the v1 protocol; see `ask_v2`."""
    instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    url = f"{asked.url.split('/v2/', 1)[0]}/v1/models/{asked.name}:predict"
    answer, _ = _post(asked, url, json.dumps({"instances": instances}).encode(), {})
    names = [output["name"] for output in asked.signature.outputs]
    with _reading(url):
        predictions = list(json.loads(answer)["predictions"])
        if len(names) == 1:
            return {names[0]: predictions}
        return {name: [prediction[name] for prediction in predictions] for name in names}


def ask_v2_binary(asked: Asked, columns: Columns) -> Answers:
    """Ask with all tensors as bytes behind the JSON, and have them answered so; see `ask_v2`."""
    contents = _contents(asked.signature, columns)
    inputs = [
        {**_tensor(entry, columns), "parameters": {"binary_data_size": len(content)}}
        for entry, content in zip(asked.signature.inputs, contents, strict=True)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    body = b"".join((head, *contents))
    answer, length = _post(asked, asked.url, body, {JSON_LENGTH: str(len(head))})
    found: Answers = {}
    place = length
    with _reading(asked.url):
        for output in json.loads(answer[:length])["outputs"]:
            size = output["parameters"]["binary_data_size"]
            found[output["name"]] = _rows(_floats(answer[place : place + size]), output["shape"])
            place += size
    return found


def ask_grpc(asked: Asked, columns: Columns) -> Answers:
    """Ask the revision itself by gRPC, with raw contents; see `ask_v2`.

    Messages are written by their fields' numbers (grpc_predict_v2.proto): kserve's own classes would come
    with a second of other imports.
    """
    import grpc

    model, inputs, shape, raw = 1, 5, 3, 7
    request = message((model, asked.name))
    for entry in asked.signature.inputs:
        tensor = message((1, entry["name"]), (2, entry["datatype"]), (shape, len(columns[entry["name"]])))
        request += message((inputs, tensor))
    request += message(*((raw, content) for content in _contents(asked.signature, columns)))
    with grpc.insecure_channel(asked.grpc or "") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        try:
            answer = memoryview(call(request, timeout=_TIMEOUT_SECONDS))
        except grpc.RpcError as error:
            status: Any = error  # a call as well, which the types do not say
            kind = RefusedError if status.code() == grpc.StatusCode.INVALID_ARGUMENT else UnavailableError
            raise kind(
                f"gRPC answers {status.code().name}: {status.details()}", where=asked.grpc
            ) from error
    with _reading(asked.grpc or ""):
        outputs, contents = messages(answer, 5), messages(answer, 6)
        return {
            text(output, 1): _rows(_floats(bytes(content)), _shape(output))
            for output, content in zip(outputs, contents, strict=True)
        }


def _post(asked: Asked, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, int]:
    """Return the answer's body, and how much of it is JSON."""
    connection = connect(url, timeout_seconds=_TIMEOUT_SECONDS)
    picked = {REVISION: asked.revision} if asked.revision else {}
    try:
        given = {"Content-Type": "application/json", **picked, **headers}
        connection.request("POST", urlsplit(url).path, body, given)
        response = connection.getresponse()
        status, answer = response.status, response.read()
    except (OSError, http.client.HTTPException) as problem:
        raise UnavailableError("the endpoint does not answer", where=url) from problem
    finally:
        connection.close()
    with _reading(url):
        error = None if status == 200 else json.loads(answer).get("error")
        length = int(response.headers.get(JSON_LENGTH, len(answer)))
    if status >= 500:
        raise UnavailableError(f"the endpoint answers {status}: {error}", where=url)
    if status != 200:
        raise RefusedError(f"the endpoint refuses a golden request: {error}", where=url)
    return answer, length


@contextmanager
def _reading(where: str) -> Generator[None]:
    """Say who gave an answer that no server of this protocol gives."""
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error) as error:
        what, fix = "the answer is not a model server's", "who else listens there, or stands before it?"
        raise UnavailableError(what, where=where, fix=fix) from error


def _tensor(entry: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    return {"name": entry["name"], "datatype": entry["datatype"], "shape": [len(columns[entry["name"]])]}


def _contents(signature: Signature, columns: Columns) -> list[bytes]:
    """Return each input as bytes, with the marker of its type where a value is missing."""
    return [_bytes(entry["datatype"], columns[entry["name"]]) for entry in signature.inputs]


def _bytes(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        texts = [(MISSING_STRING if value is None else value).encode() for value in values]
        return b"".join(struct.pack("<I", len(each)) + each for each in texts)
    form, missing = ("f", math.nan) if datatype == "FP32" else ("q", MISSING_INTEGER)
    given = [missing if value is None else value for value in values]
    return struct.pack(f"<{len(given)}{form}", *map(float if form == "f" else int, given))


def _floats(content: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(content) // 4}f", content))


def _shape(output: memoryview) -> list[int]:
    return [size for shape in messages(output, 3) for size in packed(shape)]


def _rows(data: list[Any], shape: Sequence[int]) -> list[Any]:
    if len(shape) == 1:
        return data
    width = shape[1]
    return [data[start : start + width] for start in range(0, len(data), width)]

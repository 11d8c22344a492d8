"""The HTTP side, as an ASGI application: Open Inference Protocol v2 and v1, and what tells of the model."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from components.common.config import require_known
from components.common.encoding import InputError, Values
from components.common.errors import BadInputError
from components.serving.binary import write_binary
from components.serving.config import ServingConfig
from components.serving.load import LoadedModel
from components.serving.read import read_instances, read_tensors
from components.serving.service import Service

log = logging.getLogger("millrace.serving")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_JSON_LENGTH = b"inference-header-content-length"
_JSON, _BINARY, _TEXT = b"application/json", b"application/octet-stream", b"text/plain; version=0.0.4"


_PLATFORMS = {"twin": "millrace_twin", "tensorflow": "tensorflow_savedmodel"}  # PROJECT_FORMAT


class _RequestError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Answer:
    """What is sent back."""

    def __init__(self, body: object, *, status: int = 200, kind: bytes = _JSON) -> None:
        self.status = status
        # float32 in its shortest form
        self.body = (
            body if isinstance(body, bytes) else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        )
        self.headers = [(b"content-type", kind), (b"content-length", str(len(self.body)).encode())]


class RestApplication:
    """Answers HTTP requests for one model."""

    def __init__(self, service: Service, limits: ServingConfig) -> None:
        """Answer by `service`, within `limits`."""
        self._service, self._limits = service, limits
        self._name, self._signature = service.model.name, service.model.signature
        model = f"/v2/models/{self._name}"
        ready = {"name": self._name, "ready": True}
        self._told: dict[str, Callable[[], _Answer]] = {
            "/": lambda: _Answer({"status": "alive"}),
            "/metrics": lambda: _Answer(service.metrics.exposition(), kind=_TEXT),
            "/v1/models": lambda: _Answer({"models": [self._name]}),
            f"/v1/models/{self._name}": lambda: _Answer(ready),
            "/v2/health/live": lambda: _Answer({"live": True}),
            "/v2/health/ready": lambda: _Answer({"ready": True}),
            "/v2/models": lambda: _Answer({"models": [self._name]}),
            model: lambda: _Answer(describe_model(service.model)),
            f"{model}/ready": lambda: _Answer(ready),
        }
        self._asked = {
            f"{model}/infer": ("v2", self._infer),
            f"/v1/models/{self._name}:predict": ("v1", self._predict),
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started, path = time.perf_counter(), str(scope["path"])
        protocol, ask = self._asked.get(path, ("other", None))
        try:
            if ask is not None and scope["method"] == "POST":
                answer = await ask(scope, receive)
            elif path in self._told and scope["method"] == "GET":
                answer = self._told[path]()
            else:
                answer = self._refuse_address(path, known=ask is not None or path in self._told)
        except (BadInputError, _RequestError) as error:
            answer = self._refuse(error)
        except Exception as error:  # a fault of ours, of any kind: answered by 500, since others are served
            log.error("a request failed", extra={"path": protocol}, exc_info=error)
            answer = _Answer({"error": "the server failed; its log has the reason"}, status=500)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        if ask is not None:
            self._service.metrics.count_request(protocol, str(answer.status), time.perf_counter() - started)

    async def _infer(self, scope: Message, receive: Receive) -> _Answer:
        """Answer a request of the Open Inference Protocol v2."""
        body = await _read_body(receive, self._limits)
        json_length = _json_length(scope, len(body))
        payload = _parse(body[:json_length])
        columns = read_tensors(
            payload, self._signature, max_rows=self._limits.max_rows, binary=body[json_length:]
        )
        names = [entry["name"] for entry in self._signature.outputs]
        wanted = _wanted_outputs(payload, names)
        answers = await self._service.answer(columns)
        return _tensors(self._name, payload.get("id"), wanted, answers)

    async def _predict(self, scope: Message, receive: Receive) -> _Answer:
        """Answer a request of the v1 protocol; several outputs make an object of each prediction."""
        payload = _parse(await _read_body(receive, self._limits))
        columns = read_instances(payload, self._signature, max_rows=self._limits.max_rows)
        answers = await self._service.answer(columns)
        if len(answers) == 1:
            return _Answer({"predictions": next(iter(answers.values()))})
        rows = zip(*(values.tolist() for values in answers.values()), strict=True)
        return _Answer({"predictions": [dict(zip(answers, row, strict=True)) for row in rows]})

    def _refuse(self, error: BadInputError | _RequestError) -> _Answer:
        if isinstance(error, _RequestError):
            return _Answer({"error": str(error)}, status=error.status)
        body: dict[str, Any] = {"error": str(error)}
        if isinstance(error, InputError):
            self._service.count_refusal(error)
            place = {"input": error.input, "row": error.row}
            body |= {key: value for key, value in place.items() if value is not None}
        return _Answer(body, status=400)

    def _refuse_address(self, path: str, *, known: bool) -> _Answer:
        if known:
            return _Answer({"error": "method not allowed"}, status=405)
        if path.startswith(("/v1/models/", "/v2/models/")) and not path.startswith(
            f"/v2/models/{self._name}/"
        ):
            return _Answer({"error": f"unknown model in {path[:200]!r}"}, status=404)
        return _Answer({"error": "not found"}, status=404)


def describe_model(model: LoadedModel) -> dict[str, Any]:
    """Tell what a model takes and gives, as the protocol has it, and more in `parameters`."""
    engine = {"engine": model.choice.engine, "reason": model.choice.reason}
    inputs = [
        {
            "name": entry["name"], "datatype": entry["datatype"], "shape": [-1],
            "parameters": {"kind": entry["kind"], "optional": entry["optional"]},
        }
        for entry in model.signature.inputs
    ]  # fmt: skip
    outputs = [
        {key: entry[key] for key in ("name", "datatype", "shape")}
        | ({"parameters": {"classes": entry["classes"]}} if "classes" in entry else {})
        for entry in model.signature.outputs
    ]
    return {
        "name": model.name, "versions": ["1"], "platform": _PLATFORMS[model.choice.engine],
        "inputs": inputs, "outputs": outputs,
        "parameters": {key: value for key, value in engine.items() if value is not None},
    }  # fmt: skip


async def _read_body(receive: Receive, limits: ServingConfig) -> bytes:
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            while True:
                message = await receive()
                piece = message.get("body", b"")
                size += len(piece)
                if size <= limits.max_body_bytes:
                    body += piece
                if not message.get("more_body") or size > 4 * limits.max_body_bytes:
                    break  # until then read on: most clients send it all before they listen
    except TimeoutError as error:
        raise _RequestError(408, "the body did not arrive in time") from error
    if size > limits.max_body_bytes:
        raise _RequestError(413, f"the body is larger than {limits.max_body_bytes} bytes")
    return bytes(body)


def _json_length(scope: Message, size: int) -> int:
    """Return how much of a body is JSON; the rest are binary tensors."""
    for name, value in scope["headers"]:
        if name == _JSON_LENGTH:
            if not value.isdigit() or int(value) > size:
                what = f"must be a number of bytes, at most those of the body, {size}"
                raise BadInputError(
                    what, where="header Inference-Header-Content-Length", value=value.decode("latin-1")
                )
            return int(value)
    return size


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        hint = "a missing value is null, NaN is no JSON"
        raise _RequestError(400, f"the body is not JSON, at {where} ({hint})") from error


def _wanted_outputs(payload: Any, names: list[str]) -> dict[str, bool]:
    """Return the outputs to send, and whether each is to be binary."""
    wanted, parameters = payload.get("outputs"), payload.get("parameters")
    every = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    if not wanted:
        return dict.fromkeys(names, every)
    if not isinstance(wanted, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in wanted
    ):
        raise BadInputError("`outputs` must be a list of objects with a `name`", where="request")
    require_known([item["name"] for item in wanted], names, where="outputs")
    asked = {item["name"]: item.get("parameters") for item in wanted}
    return {
        name: bool(asked[name].get("binary_data", every)) if isinstance(asked[name], dict) else every
        for name in names
        if name in asked
    }


def _tensors(name: str, identity: Any, wanted: dict[str, bool], answers: dict[str, Values]) -> _Answer:
    pieces: list[bytes] = []
    outputs: list[dict[str, Any]] = []
    for output, binary in wanted.items():
        values = answers[output]
        tensor = {"name": output, "datatype": "FP32", "shape": list(values.shape)}
        if binary:
            pieces.append(write_binary(values))
            outputs.append({**tensor, "parameters": {"binary_data_size": len(pieces[-1])}})
        else:
            outputs.append({**tensor, "data": values.ravel()})
    known = identity if isinstance(identity, str) and identity else str(uuid.uuid4())
    answer = _Answer({"model_name": name, "id": known, "outputs": outputs})
    if not pieces:
        return answer
    head = answer.body
    answer = _Answer(b"".join((head, *pieces)), kind=_BINARY)
    answer.headers.append((_JSON_LENGTH, str(len(head)).encode()))
    return answer

"""The HTTP side: kserve's server with checked requests, a bound address and short error bodies."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from kserve import Model, ModelServer
from kserve.errors import ModelNotFound
from kserve.protocol.rest.server import RESTServer, metrics_handler
from kserve.protocol.rest.v2_endpoints import V2Endpoints
from starlette.exceptions import HTTPException

from components.common.artifacts import Signature
from components.common.config import require_known
from components.common.encoding import Values
from components.common.errors import BadInputError
from components.serving.check import encode_request, read_instances, read_tensors
from components.serving.config import ServingConfig
from components.serving.load import LoadedModel

log = logging.getLogger("millrace.serving")

Reader = Callable[..., dict[str, list[Any]]]


class _RequestError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _ServedModel(Model):
    """What kserve knows of a model; its metrics come for free."""

    def __init__(self, model: LoadedModel) -> None:
        super().__init__(model.name)
        self.model = model
        self.ready = True

    def validate(self, payload: dict[str, Values]) -> dict[str, Values]:  # the routes have checked it
        return payload

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return self.model.engine.predict(payload)

    def get_input_types(self) -> list[dict[str, Any]]:
        return [{**entry, "shape": [-1]} for entry in self.model.signature.inputs]

    def get_output_types(self) -> list[dict[str, Any]]:
        return self.model.signature.outputs


class _Server(RESTServer):
    """kserve's server, whose address, inference routes and error bodies are ours."""

    def __init__(self, model: LoadedModel, config: ServingConfig, host: str, **given: Any) -> None:
        super().__init__("kserve.model_server:app", **given)
        self.model = model
        self.limits = config
        self.config.host = host  # kserve binds 0.0.0.0, hard-coded

    def create_application(self) -> None:
        """Offer inference and what tells of it; kserve's own routes also load and unload models."""
        app = self.config.app = FastAPI(openapi_url=None)
        known = V2Endpoints(self.dataplane)
        for path, answer in {
            "/": self.dataplane.live,
            "/metrics": metrics_handler,
            "/v1/models": known.models,
            "/v1/models/{model_name}": known.model_ready,
            "/v2/health/live": known.live,
            "/v2/health/ready": known.ready,
            "/v2/models": known.models,
            "/v2/models/{model_name}": known.model_metadata,
            "/v2/models/{model_name}/ready": known.model_ready,
        }.items():
            app.add_api_route(path, answer, methods=["GET"], response_model_exclude_none=True)
        app.add_api_route("/v2/models/{name}/infer", self.infer, methods=["POST"], response_model=None)
        app.add_api_route("/v1/models/{name}:predict", self.predict, methods=["POST"], response_model=None)
        self._add_exception_handlers(app)

    def _add_exception_handlers(self, app: FastAPI) -> None:
        app.add_exception_handler(BadInputError, _answer_bad_input)
        app.add_exception_handler(_RequestError, _answer_request_error)
        app.add_exception_handler(ModelNotFound, _answer_unknown_model)
        app.add_exception_handler(HTTPException, _answer_http_error)
        app.add_exception_handler(Exception, _answer_bug)

    async def infer(self, name: str, request: Request) -> Response:
        """Answer a request of the Open Inference Protocol v2."""
        payload = await self._payload(name, request)
        answers = await self._answers(name, payload, read_tensors)
        wanted = _wanted_outputs(payload, answers)
        identity = payload.get("id")
        body = {
            "model_name": name,
            "id": identity if isinstance(identity, str) and identity else str(uuid.uuid4()),
            "outputs": [_output(entry, answers) for entry in self._outputs if entry["name"] in wanted],
        }
        return _respond(200, body)

    async def predict(self, name: str, request: Request) -> Response:
        """Answer a request of the v1 protocol; several outputs make an object of each prediction."""
        answers = await self._answers(name, await self._payload(name, request), read_instances)
        columns = {entry["name"]: answers[entry["name"]] for entry in self._outputs}
        if len(columns) == 1:
            return _respond(200, {"predictions": next(iter(columns.values()))})
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        return _respond(200, {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]})

    @property
    def _outputs(self) -> list[dict[str, Any]]:
        return self.model.signature.outputs

    async def _payload(self, name: str, request: Request) -> Any:
        if name != self.model.name:
            raise ModelNotFound(name)
        if "inference-header-content-length" in request.headers:
            raise _RequestError(415, "binary tensors are not offered: send JSON")
        body = await _read_body(request, self.limits)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            hint = "a missing value is null, NaN is no JSON"
            raise _RequestError(400, f"the body is not JSON, at {where} ({hint})") from error

    async def _answers(self, name: str, payload: Any, read: Reader) -> dict[str, Values]:
        signature: Signature = self.model.signature
        columns = encode_request(read(payload, signature, max_rows=self.limits.max_rows), signature)
        given: Any = await self.dataplane.infer(name, columns)
        answers: dict[str, Values] = given[0]
        if not all(np.isfinite(values).all() for values in answers.values()):
            raise _RequestError(500, "the model gave an answer that is not a finite number")
        return answers


class _LocalServer(ModelServer):
    """kserve's model server around ours: one process, REST alone."""

    def run(self, model: LoadedModel, config: ServingConfig, host: str) -> None:
        """Serve until a signal; uvicorn handles SIGTERM and SIGINT and finishes what is under way."""
        self._register_and_check_atleast_one_model_is_ready([_ServedModel(model)])
        rest = _Server(
            model, config, host, data_plane=self.dataplane, http_port=self.http_port,
            model_repository_extension=self.model_repository_extension, grace_period=config.drain_seconds,
        )  # fmt: skip
        asyncio.run(rest.start())


def start_server(model: LoadedModel, *, host: str, port: int, config: ServingConfig) -> None:
    """Answer requests until SIGTERM or SIGINT; see `serve_model`."""
    server = _LocalServer(http_port=port, enable_grpc=False, enable_latency_logging=False)
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False  # a line a request would fill the disk
    server.run(model, config, host)


async def _read_body(request: Request, limits: ServingConfig) -> bytes:
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            async for piece in request.stream():
                size += len(piece)
                if size <= limits.max_body_bytes:
                    body += piece
                elif size > 4 * limits.max_body_bytes:  # until then read on: most clients send it all first
                    break
    except TimeoutError as error:
        raise _RequestError(408, "the body did not arrive in time") from error
    if size > limits.max_body_bytes:
        raise _RequestError(413, f"the body is larger than {limits.max_body_bytes} bytes")
    return bytes(body)


def _wanted_outputs(payload: Any, answers: dict[str, Values]) -> list[str]:
    wanted = payload.get("outputs")
    if not wanted:
        return list(answers)
    if not isinstance(wanted, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in wanted
    ):
        raise BadInputError("`outputs` must be a list of objects with a `name`", where="request")
    names = [item["name"] for item in wanted]
    require_known(names, answers, where="outputs")
    return names


def _output(entry: dict[str, Any], answers: dict[str, Values]) -> dict[str, Any]:
    values = answers[entry["name"]]
    shape = {"shape": list(values.shape), "data": values.ravel()}
    return {"name": entry["name"], "datatype": entry["datatype"], **shape}


def _respond(status: int, body: object) -> Response:
    content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)  # float32 in its shortest form
    return Response(content, status, media_type="application/json")


async def _answer_bad_input(_: Request, error: Any) -> Response:
    return _respond(400, {"error": str(error)})


async def _answer_request_error(_: Request, error: Any) -> Response:
    return _respond(error.status, {"error": str(error)})


async def _answer_unknown_model(request: Request, _: Any) -> Response:
    return _respond(404, {"error": f"unknown model in {request.url.path[:200]!r}"})


async def _answer_http_error(_: Request, error: Any) -> Response:
    return _respond(error.status_code, {"error": str(error.detail).lower()})


async def _answer_bug(_: Request, error: Any) -> Response:
    log.error("a request failed", exc_info=error)
    return _respond(500, {"error": "the server failed; its log has the reason"})

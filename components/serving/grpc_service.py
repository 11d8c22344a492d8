"""The gRPC side of the Open Inference Protocol, by kserve's definitions; it loads and unloads nothing."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

import grpc
import numpy as np

from components.common.config import require_known
from components.common.encoding import InputError
from components.common.errors import BadInputError
from components.serving.binary import read_binary, unmarked, unmarked_texts, write_binary
from components.serving.check import Columns
from components.serving.config import ServingConfig
from components.serving.grpc_messages import handler_of, messages
from components.serving.read import check_datatype, check_lengths, check_shape
from components.serving.rest import describe_model
from components.serving.service import Service

log = logging.getLogger("millrace.serving")

_CONTENTS = {"FP32": "fp32_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}
_STATUSES = {"OK": "200", "INVALID_ARGUMENT": "400", "NOT_FOUND": "404", "INTERNAL": "500"}


class _UnknownModelError(Exception):
    pass


class GrpcService:
    """Answers gRPC requests for one model."""

    def __init__(self, service: Service, limits: ServingConfig) -> None:
        """Answer by `service`, within `limits`."""
        self._service, self._limits = service, limits

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Tell that the server lives."""
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Tell that the server is ready: it listens only then."""
        return messages.ServerReadyResponse(ready=True)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Tell whether a model is ready."""
        return messages.ModelReadyResponse(ready=request.name == self._service.model.name)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Tell what the model takes and gives; gRPC has no place for kinds, classes and reasons."""
        model = self._service.model
        if request.name != model.name:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown model")
        described = describe_model(model)
        inputs, outputs = (
            [{key: each[key] for key in ("name", "datatype", "shape")} for each in described[side]]
            for side in ("inputs", "outputs")
        )
        told = {key: described[key] for key in ("name", "versions", "platform")}
        return messages.ModelMetadataResponse(**told, inputs=inputs, outputs=outputs)

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Answer a request; raw contents are answered by raw contents."""
        started = time.perf_counter()
        answer, status, told = None, grpc.StatusCode.OK, ""
        try:
            answer = await self._infer(request)
        except _UnknownModelError:
            status, told = grpc.StatusCode.NOT_FOUND, "unknown model"
        except BadInputError as error:
            status, told = grpc.StatusCode.INVALID_ARGUMENT, str(error)
            if isinstance(error, InputError):
                self._service.count_refusal(error)
        except Exception as error:  # a fault of ours, of any kind: answered by INTERNAL, as REST by 500
            log.error("a request failed", extra={"path": "grpc"}, exc_info=error)
            status, told = grpc.StatusCode.INTERNAL, "the server failed; its log has the reason"
        seconds = time.perf_counter() - started
        self._service.metrics.count_request("grpc", _STATUSES[status.name], seconds)
        return answer if answer is not None else await context.abort(status, told)

    async def _infer(self, request: Any) -> Any:
        model = self._service.model
        if request.model_name != model.name:
            raise _UnknownModelError
        columns = check_lengths(self._columns(request), self._limits.max_rows)
        names = [entry["name"] for entry in model.signature.outputs]
        require_known([output.name for output in request.outputs], names, where="outputs")
        wanted = {output.name for output in request.outputs} or set(names)
        answers = await self._service.answer(columns)
        raw, outputs, contents = bool(request.raw_input_contents), list[Any](), list[bytes]()
        for name, values in answers.items():
            if name in wanted:
                given = {} if raw else {"contents": {"fp32_contents": np.ravel(values).tolist()}}
                outputs.append({"name": name, "datatype": "FP32", "shape": values.shape, **given})
                contents += [write_binary(values)] if raw else []
        return messages.ModelInferResponse(
            model_name=model.name, id=request.id or str(uuid.uuid4()), outputs=outputs,
            raw_output_contents=contents,
        )  # fmt: skip

    def _columns(self, request: Any) -> Columns:
        declared = {entry["name"]: entry["datatype"] for entry in self._service.model.signature.inputs}
        raw = request.raw_input_contents
        if raw and len(raw) != len(request.inputs):
            what = f"`raw_input_contents` must be as many as `inputs`, {len(request.inputs)}"
            raise BadInputError(what, where="request", value=len(raw))
        columns: Columns = {}
        for place, tensor in enumerate(request.inputs):
            name = tensor.name
            require_known([name], declared, where="inputs")
            if name in columns:
                raise InputError("given twice", name=name)
            datatype = declared[name]
            check_datatype(tensor.datatype, datatype, name)
            if raw:
                columns[name] = read_binary(raw[place], datatype, name)
            else:
                values = getattr(tensor.contents, _CONTENTS[datatype])
                read = unmarked_texts(values, name) if datatype == "BYTES" else unmarked(values, datatype)
                columns[name] = list(read)
            check_shape(list(tensor.shape), len(columns[name]), name)
        return columns


async def start_grpc(service: Service, limits: ServingConfig, address: str) -> Any:
    """Start a server on an address such as `127.0.0.1:9000`; returns it, to be stopped.

    Raises:
        RuntimeError: The address cannot be listened on.
    """
    size = limits.max_body_bytes
    options = [
        ("grpc.max_receive_message_length", size),
        ("grpc.max_send_message_length", size),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=limits.max_concurrent)
    server.add_generic_rpc_handlers((handler_of(GrpcService(service, limits)),))
    server.add_insecure_port(address)
    await server.start()
    return server

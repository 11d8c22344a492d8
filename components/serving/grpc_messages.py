"""kserve's definitions of gRPC, without kserve, which takes a second to import and some 60 MiB."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass

_NAME = "grpc_predict_v2_pb2"


def _definitions() -> ModuleType:
    package = importlib.util.find_spec("kserve")  # finds it, and imports nothing
    if package is None or package.origin is None:
        raise ModuleNotFoundError("kserve is not installed", name="kserve")
    file = Path(package.origin).parent / "protocol" / "grpc" / f"{_NAME}.py"
    spec = importlib.util.spec_from_file_location(_NAME, file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"cannot be imported: {file}", name="kserve")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


messages: Any = _definitions()


def handler_of(service: object) -> Any:
    """Return what calls a service's methods by the protocol's names; those it lacks are UNIMPLEMENTED."""
    described = messages.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    methods: Mapping[str, Any] = {
        method.name: grpc.unary_unary_rpc_method_handler(
            getattr(service, method.name),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in described.methods
        if hasattr(service, method.name)
    }
    return grpc.method_handlers_generic_handler(described.full_name, methods)

"""ML Metadata over gRPC: the service of `ml_metadata`'s definitions before a real store of its library.

The library brings the client and the store (C++), and no server; Kubeflow's is the same C++ store behind
the same definitions. Messages pass as the bytes they are, so nothing is played but the transport.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from ml_metadata.metadata_store import metadata_store
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as library
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class MetadataService:
    """A store on loopback, ended with the block.

    Attributes:
        store: The store.
        refuse: A status that all calls end with, or None.
        calls: Names of the methods that were called.
    """

    def __init__(self, database: Path) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(database)
        self.store: Any = metadata_store.MetadataStore(config)
        self.refuse: grpc.StatusCode | None = None
        self.calls: list[str] = []
        handlers = {method.name: self._handler(method.name) for method in _SERVICE.methods}
        self._server = grpc.server(ThreadPoolExecutor(1))
        generic = grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def _handler(self, name: str) -> Any:
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.append(name)
            if self.refuse is not None:
                context.abort(self.refuse, "no")
            response, said, code = getattr(library, name)(self.store._metadata_store, request)
            if code:
                context.abort(_CODES[code], said.decode())
            return response

        return grpc.unary_unary_rpc_method_handler(answer)

    def __enter__(self) -> MetadataService:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

"""Running the server: HTTP by uvicorn and gRPC beside it, until a signal, and then drained."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from components.serving.config import ServingConfig
from components.serving.load import LoadedModel
from components.serving.rest import RestApplication
from components.serving.service import Service

log = logging.getLogger("millrace.serving")


class _Protocol(HttpToolsProtocol):
    """Uvicorn's protocol, which would wait for a request's head for ever."""

    head_seconds = 30.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._late = self.loop.call_later(self.head_seconds, self._end_late)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._late.cancel()
        self._late = self.loop.call_later(self.head_seconds, self._end_late)

    def on_headers_complete(self) -> None:
        self._late.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._late.cancel()
        super().connection_lost(exc)

    def _end_late(self) -> None:
        self.transport.write(
            b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()


def start_server(
    model: LoadedModel, *, host: str, port: int, grpc_port: int | None, config: ServingConfig
) -> None:
    """Answer requests until SIGTERM or SIGINT; see `serve_model`."""
    service = Service(model)
    settings = uvicorn.Config(
        RestApplication(service, config), host=host, port=port, http=_Protocol, lifespan="off",
        log_config=None, access_log=False, server_header=False, date_header=False, proxy_headers=False,
        limit_concurrency=config.max_concurrent, timeout_keep_alive=75,
        timeout_graceful_shutdown=config.drain_seconds,
    )  # fmt: skip
    _Protocol.head_seconds = config.body_timeout_seconds
    address = None if grpc_port is None else f"{host}:{grpc_port}"
    with asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
        runner.run(_serve(service, settings, address, config))


async def _serve(
    service: Service, settings: uvicorn.Config, grpc_address: str | None, config: ServingConfig
) -> None:
    grpc_server = None
    if grpc_address is not None:
        from components.serving.grpc_service import start_grpc  # only where it is asked for

        grpc_server = await start_grpc(service, config, grpc_address)
    log.info("the server answers", extra={"port": settings.port, "grpc": grpc_address})
    try:
        await uvicorn.Server(settings).serve()
    finally:
        if grpc_server is not None:
            await grpc_server.stop(config.drain_seconds)

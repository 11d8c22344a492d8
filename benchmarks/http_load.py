"""Requests over kept connections, sent again as soon as they are answered; as lean as Python can."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from components.common.errors import UnavailableError


@dataclass(frozen=True, kw_only=True)
class Load:
    """What clients saw.

    Attributes:
        p50_seconds: Median time from request to answer.
        p99_seconds: 99th percentile of it.
        per_second: Answers a second, all clients together.
    """

    p50_seconds: float
    p99_seconds: float
    per_second: float


@dataclass(kw_only=True)
class Client:
    """A kept connection, and when its last request went out, in seconds of the performance counter."""

    connection: socket.socket
    sent: float = 0.0


def send_load(url: str, body: bytes, *, clients: int, seconds: float) -> Load:
    """Keep some clients busy for some seconds, each with one request at a time.

    Args:
        url: Where to post.
        body: JSON.
        clients: Connections.
        seconds: How long.

    Raises:
        UnavailableError: An answer is not 200, or a connection ends.
    """
    address = urlsplit(url)
    head = f"POST {address.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with ExitStack() as opened:
        selector = opened.enter_context(selectors.DefaultSelector())
        connected = [
            Client(connection=opened.enter_context(_connect(address.hostname or "", address.port or 80)))
            for _ in range(clients)
        ]
        for client in connected:
            selector.register(client.connection, selectors.EVENT_READ, client)
        return _exchange(selector, connected, request, seconds)


def _connect(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(
    selector: selectors.BaseSelector, clients: Sequence[Client], request: bytes, seconds: float
) -> Load:
    times: list[float] = []
    for client in clients:
        _send(client, request)
    started = time.perf_counter()
    while (now := time.perf_counter()) - started < seconds:
        for key, _ in selector.select(60):
            client: Client = key.data
            _receive(client.connection)
            times.append(time.perf_counter() - client.sent)
            _send(client, request)
    times.sort()
    return Load(
        p50_seconds=statistics.median(times), p99_seconds=times[int(len(times) * 0.99)],
        per_second=len(times) / (now - started),
    )  # fmt: skip


def _send(client: Client, request: bytes) -> None:
    client.sent = time.perf_counter()
    client.connection.sendall(request)


def _receive(connection: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (piece := connection.recv(65_536)):
            raise UnavailableError("the connection ended")
        answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200"):
        raise UnavailableError(f"answered otherwise: {answer[:300]!r}")
    (size,) = (
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    while len(body) < size:
        body += connection.recv(65_536)

"""Requests over kept connections, sent again as soon as they are answered; as lean as Python can."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
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
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        selector.register(_connect(address.hostname or "", address.port or 80), selectors.EVENT_READ, [0.0])
    try:
        return _exchange(selector, request, seconds)
    finally:
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr] - they are sockets
        selector.close()


def _connect(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(selector: selectors.BaseSelector, request: bytes, seconds: float) -> Load:
    times: list[float] = []
    for key in list(selector.get_map().values()):
        _send(key, request)
    started = time.perf_counter()
    while (now := time.perf_counter()) - started < seconds:
        for key, _ in selector.select(60):
            _receive(key)
            times.append(time.perf_counter() - key.data[0])
            _send(key, request)
    times.sort()
    return Load(
        p50_seconds=statistics.median(times), p99_seconds=times[int(len(times) * 0.99)],
        per_second=len(times) / (now - started),
    )  # fmt: skip


def _send(key: selectors.SelectorKey, request: bytes) -> None:
    key.data[0] = time.perf_counter()
    key.fileobj.sendall(request)  # type: ignore[union-attr] - it is a socket


def _receive(key: selectors.SelectorKey) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (piece := key.fileobj.recv(65_536)):  # type: ignore[union-attr] - it is a socket
            raise UnavailableError("the connection ended")
        answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200"):
        raise UnavailableError(f"answered otherwise: {answer[:300]!r}")
    (size,) = (
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    while len(body) < size:
        body += key.fileobj.recv(65_536)  # type: ignore[union-attr] - it is a socket

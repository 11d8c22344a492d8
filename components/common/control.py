"""Talking to the supervisor of `millrace serve`: JSON over HTTP over a unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from components.common.errors import BadInputError, UnavailableError


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call_control(
    socket_path: str, method: str, path: str, body: object = None, *, timeout_seconds: float = 60
) -> dict[str, Any]:
    """Send one request to a supervisor's control socket.

    Args:
        socket_path: What `supervisor.json` calls `control`.
        method: `GET`, `PUT` or `DELETE`.
        path: Such as `/endpoints/flights/weights`.
        body: Sent as JSON unless None.
        timeout_seconds: Longest wait for the answer.

    Returns:
        The JSON object of the answer.

    Raises:
        UnavailableError: Nothing answers, or the supervisor failed.
        BadInputError: The supervisor refused the request; its reason is in the error.
    """
    connection = _UnixConnection(socket_path, timeout_seconds)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        fix = "start `millrace serve`, or look into its supervisor.log"
        raise UnavailableError("the supervisor does not answer", where=socket_path, fix=fix) from error
    finally:
        connection.close()
    if response.status >= 500:
        raise UnavailableError(f"the supervisor failed: {answer.get('error')}", where=f"{method} {path}")
    if response.status >= 400:
        raise BadInputError(f"the supervisor refused: {answer.get('error')}", where=f"{method} {path}")
    return answer
